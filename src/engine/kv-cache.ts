/**
 * The keys and values of one sequence in one layer, each [1, kvHeads, length, headDim].
 *
 * On wasm, ONNX Runtime copies every bound tensor in and out, so the cache is exactly as long as the
 * sequence and each run returns the next one. On WebGPU one buffer is bound as past and present at once
 * and written in place; it doubles when full.
 */
import type { ModelConfig } from '../model/config.ts';
import { kvCacheOutputs } from './forward.ts';
import { float32, type RunTensor, type Runtime } from './runtime.ts';

export interface KvCache {
  /** Positions held. A run may start at any position up to here; what lies beyond is overwritten. */
  readonly length: number;
  /** What to bind for a run that makes the sequence `total` positions long. */
  bind(total: number): KvBinding;
  /** Takes over what a run left, once it has succeeded. */
  keep(outputs: Record<string, RunTensor>, total: number): void;
  /** A cache of its own that holds the first `length` positions. */
  copy(length: number): KvCache;
  dispose(): void;
}

export interface KvBinding {
  past: { past_key: RunTensor; past_value: RunTensor };
  /** Present tensors to write into; null where the run makes them. */
  present: Record<string, RunTensor | null>;
}

export function createKvCache(
  runtime: Runtime,
  config: ModelConfig,
  contextLength: number,
): KvCache {
  return runtime.device
    ? createGpuKvCache(runtime, runtime.device, config, contextLength)
    : createCpuKvCache(runtime, config);
}

function createCpuKvCache({ ort }: Runtime, config: ModelConfig): KvCache {
  const empty = (): RunTensor =>
    float32(ort, new Float32Array(0), [1, config.num_key_value_heads, 0, config.head_dim]);
  return cpuKvCache({ key: empty(), value: empty(), length: 0 }, empty);
}

interface CpuContents {
  key: RunTensor;
  value: RunTensor;
  length: number;
}

function cpuKvCache({ key, value, length }: CpuContents, empty: () => RunTensor): KvCache {
  return {
    get length() {
      return length;
    },
    bind: () => ({
      past: { past_key: key, past_value: value },
      present: { [kvCacheOutputs.key]: null, [kvCacheOutputs.value]: null },
    }),
    keep(outputs, total) {
      key = outputs[kvCacheOutputs.key];
      value = outputs[kvCacheOutputs.value];
      length = total;
    },
    // A run never writes into the tensors it was given: two caches may hold the same ones.
    copy: (positions) => cpuKvCache({ key, value, length: positions }, empty),
    dispose() {
      key = empty();
      value = empty();
      length = 0;
    },
  };
}

const firstCapacity = 64;

function createGpuKvCache(
  { ort }: Pick<Runtime, 'ort'>,
  device: GPUDevice,
  config: ModelConfig,
  contextLength: number,
  contents: GpuContents = { buffers: [], capacity: 0, length: 0 },
): KvCache {
  const { num_key_value_heads: heads, head_dim: headDim } = config;
  const positionBytes = headDim * Float32Array.BYTES_PER_ELEMENT;
  let { buffers, capacity, length } = contents;
  let tensors = buffers.map(tensorOver);

  function tensorOver(buffer: GPUBuffer): RunTensor {
    return ort.Tensor.fromGpuBuffer(buffer, {
      dataType: 'float32',
      dims: [1, heads, capacity, headDim],
    });
  }

  function grow(total: number): void {
    let next = Math.max(capacity, firstCapacity);
    while (next < total) next *= 2;
    next = Math.min(next, contextLength);
    const grown = [0, 1].map(() => createCacheBuffer(device, heads * next * positionBytes));
    if (length > 0) {
      const encoder = device.createCommandEncoder();
      buffers.forEach((old, index) => {
        for (let head = 0; head < heads; head++)
          encoder.copyBufferToBuffer(
            old,
            head * capacity * positionBytes,
            grown[index],
            head * next * positionBytes,
            length * positionBytes,
          );
      });
      device.queue.submit([encoder.finish()]);
    }
    for (const old of buffers) old.destroy();
    buffers = grown;
    capacity = next;
    tensors = buffers.map(tensorOver);
  }

  return {
    get length() {
      return length;
    },
    bind(total) {
      if (total > capacity) grow(total);
      const [key, value] = tensors;
      return {
        past: { past_key: key, past_value: value },
        present: { [kvCacheOutputs.key]: key, [kvCacheOutputs.value]: value },
      };
    },
    keep(_outputs, total) {
      length = total;
    },
    copy(positions) {
      const encoder = device.createCommandEncoder();
      const copies = buffers.map((buffer) => {
        const copied = createCacheBuffer(device, buffer.size);
        encoder.copyBufferToBuffer(buffer, 0, copied, 0, buffer.size);
        return copied;
      });
      device.queue.submit([encoder.finish()]);
      return createGpuKvCache({ ort }, device, config, contextLength, {
        buffers: copies,
        capacity,
        length: positions,
      });
    },
    dispose() {
      for (const buffer of buffers) buffer.destroy();
      buffers = [];
      tensors = [];
      capacity = 0;
      length = 0;
    },
  };
}

interface GpuContents {
  buffers: GPUBuffer[];
  capacity: number;
  length: number;
}

function createCacheBuffer(device: GPUDevice, size: number): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return device.createBuffer({ size, usage });
}

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
  let key = empty();
  let value = empty();
  let length = 0;
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
    dispose() {
      key = empty();
      value = empty();
      length = 0;
    },
  };
}

const firstCapacity = 64;

function createGpuKvCache(
  { ort }: Runtime,
  device: GPUDevice,
  config: ModelConfig,
  contextLength: number,
): KvCache {
  const { num_key_value_heads: heads, head_dim: headDim } = config;
  const positionBytes = headDim * Float32Array.BYTES_PER_ELEMENT;
  let capacity = 0;
  let buffers: GPUBuffer[] = [];
  let tensors: RunTensor[] = [];
  let length = 0;

  function grow(total: number): void {
    let next = Math.max(capacity, firstCapacity);
    while (next < total) next *= 2;
    next = Math.min(next, contextLength);
    const grown = [0, 1].map(() =>
      device.createBuffer({
        size: heads * next * positionBytes,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      }),
    );
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
    tensors = grown.map((buffer) =>
      ort.Tensor.fromGpuBuffer(buffer, {
        dataType: 'float32',
        dims: [1, heads, capacity, headDim],
      }),
    );
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
    dispose() {
      for (const buffer of buffers) buffer.destroy();
      buffers = [];
      tensors = [];
      capacity = 0;
      length = 0;
    },
  };
}

/**
 * A KV cache in GPU memory: one buffer each for keys and values, bound as past and present at once and
 * written in place, so that no run copies it. It doubles when full, up to the context's length.
 */
import type { ModelConfig } from '../model/config.ts';
import { kvCacheOutputs } from './forward.ts';
import type { KvCache } from './kv-cache.ts';
import { withMemory } from './out-of-memory.ts';
import type { RunTensor, Runtime } from './runtime.ts';

/** Positions that a new sequence has room for. */
const firstCapacity = 64;

export function createGpuKvCache(
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

  function allocate(size: number): GPUBuffer {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    return device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
  }

  /** Heads lie `from` (later `to`) positions apart: each is copied by itself. */
  function copyHeads(old: GPUBuffer[], from: number, grown: GPUBuffer[], to: number): void {
    const encoder = device.createCommandEncoder();
    old.forEach((buffer, index) => {
      for (let head = 0; head < heads; head++)
        encoder.copyBufferToBuffer(
          buffer,
          head * from * positionBytes,
          grown[index],
          head * to * positionBytes,
          length * positionBytes,
        );
    });
    device.queue.submit([encoder.finish()]);
  }

  async function grow(total: number): Promise<void> {
    let next = Math.max(capacity, firstCapacity);
    while (next < total) next *= 2;
    next = Math.min(next, contextLength);
    const bytes = heads * next * positionBytes;
    const grown = await withMemory(device, "a sequence's keys and values", 2 * bytes, () =>
      Promise.resolve([allocate(bytes), allocate(bytes)]),
    );
    if (length > 0) copyHeads(buffers, capacity, grown, next);
    for (const old of buffers) old.destroy();
    buffers = grown;
    capacity = next;
    const dims = [1, heads, capacity, headDim];
    tensors = grown.map((buffer) =>
      ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims }),
    );
  }

  return {
    get length() {
      return length;
    },
    async bind(total) {
      if (total > capacity) await grow(total);
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

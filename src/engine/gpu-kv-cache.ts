/**
 * A KV cache in GPU memory: one buffer each for keys and values, bound as past and present at once and
 * written in place, so that no run copies it. It doubles when full, up to the context's length.
 */
import type { ModelConfig } from '../model/config.ts';
import type { KvCache } from './kv-cache.ts';
import { withMemory } from './out-of-memory.ts';
import type { RunTensor, Runtime } from './runtime.ts';

/** Positions that a new sequence has room for. */
const firstCapacity = 64;

interface Contents {
  /** Keys and values, [heads, capacity, headDim] each; none before the first run. */
  buffers: GPUBuffer[];
  capacity: number;
  length: number;
}

export function createGpuKvCache(
  runtime: Pick<Runtime, 'ort'>,
  device: GPUDevice,
  config: ModelConfig,
  contextLength: number,
  contents: Contents = { buffers: [], capacity: 0, length: 0 },
): KvCache {
  const { num_key_value_heads: heads, head_dim: headDim } = config;
  const positionBytes = headDim * Float32Array.BYTES_PER_ELEMENT;
  let { buffers, capacity, length } = contents;
  let tensors = buffers.map(tensorOver);

  function tensorOver(buffer: GPUBuffer): RunTensor {
    const dims = [1, heads, capacity, headDim];
    return runtime.ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims });
  }

  /** Room for keys and values of `positions`, beginning with the first `kept` of what is held. */
  async function allocate(positions: number, kept: number): Promise<GPUBuffer[]> {
    const size = heads * positions * positionBytes;
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const create = (): GPUBuffer =>
      device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
    const created = await withMemory(device, "a sequence's keys and values", 2 * size, () =>
      Promise.resolve([create(), create()]),
    );
    if (kept === 0) return created;
    const encoder = device.createCommandEncoder();
    for (const [index, buffer] of buffers.entries())
      // Heads lie as far apart as there is room for positions: each is copied by itself.
      for (let head = 0; head < heads; head++)
        encoder.copyBufferToBuffer(
          buffer,
          head * capacity * positionBytes,
          created[index],
          head * positions * positionBytes,
          kept * positionBytes,
        );
    device.queue.submit([encoder.finish()]);
    return created;
  }

  async function grow(total: number): Promise<void> {
    let next = Math.max(capacity, firstCapacity);
    while (next < total) next *= 2;
    next = Math.min(next, contextLength);
    const grown = await allocate(next, length);
    for (const old of buffers) old.destroy();
    buffers = grown;
    capacity = next;
    tensors = buffers.map(tensorOver);
  }

  return {
    get length() {
      return length;
    },
    async bind(total) {
      if (total > capacity) await grow(total);
      const [key, value] = tensors;
      return { past: { key, value }, present: { key, value } };
    },
    keep(_present, total) {
      length = total;
    },
    async copy(positions) {
      const copied = { buffers: await allocate(capacity, positions), capacity, length: positions };
      return createGpuKvCache(runtime, device, config, contextLength, copied);
    },
    async blank(positions) {
      if (positions > capacity) await grow(positions);
      length = positions;
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

/**
 * A KV cache in GPU memory: one buffer each for keys and values, bound as past and present at once and
 * written in place, so that no run copies it. It doubles when full, up to the context's length.
 *
 * While its sequence is decoded together with others, its contents lie in the memory that these share
 * (`gpu-kv-pool.ts`), and come back into buffers of their own for a run alone.
 */
import type { ModelConfig } from '../model/config.ts';
import type { KvCache } from './kv-cache.ts';
import { withMemory } from './out-of-memory.ts';
import type { RunTensor, Runtime } from './runtime.ts';

/** Positions that a new sequence has room for. */
const firstCapacity = 64;

/** Where a sequence's keys and values lie: [heads, capacity, headDim] each, from `offset` bytes on. */
export interface KvRegion {
  readonly key: GPUBuffer;
  readonly value: GPUBuffer;
  readonly offset: number;
  /** Positions; 0 before the first run. */
  readonly capacity: number;
}

export interface GpuKvCache extends KvCache {
  readonly region: KvRegion | null;
  /** Goes on in memory that somebody else owns. It must have room for `length` positions. */
  moveTo(region: KvRegion): void;
  /** Goes on in memory of its own. */
  moveOut(): Promise<void>;
  copy(length: number): Promise<GpuKvCache>;
}

/** How a model's keys and values lie in memory. */
export interface KvMemory {
  /** One sequence's keys, or its values, in bytes. */
  bytes(capacity: number): number;
  /** Capacity of at least `total` positions, grown from what there was. */
  grown(capacity: number, total: number): number;
  /** Room for so many sequences' keys and values. Throws a sentence that names what memory is missing for. */
  allocate(sequences: number, capacity: number): Promise<Pick<KvRegion, 'key' | 'value'>>;
  /** Copies the first `positions` from one region to another. */
  copy(from: KvRegion, to: KvRegion, positions: number): void;
  /** The first `sequences` of a buffer as keys or values to bind. */
  tensor(buffer: GPUBuffer, sequences: number, capacity: number): RunTensor;
}

export function createKvMemory(
  { ort }: Pick<Runtime, 'ort'>,
  device: GPUDevice,
  { num_key_value_heads: heads, head_dim: headDim }: ModelConfig,
  contextLength: number,
): KvMemory {
  const positionBytes = headDim * Float32Array.BYTES_PER_ELEMENT;
  const bytes = (capacity: number): number => heads * capacity * positionBytes;
  return {
    bytes,
    grown(capacity, total) {
      let next = Math.max(capacity, firstCapacity);
      while (next < total) next *= 2;
      return Math.min(next, contextLength);
    },
    allocate(sequences, capacity) {
      const size = sequences * bytes(capacity);
      const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
      const create = (): GPUBuffer =>
        device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
      return withMemory(device, "a sequence's keys and values", 2 * size, () =>
        Promise.resolve({ key: create(), value: create() }),
      );
    },
    copy(from, to, positions) {
      if (positions === 0) return;
      const encoder = device.createCommandEncoder();
      for (const part of ['key', 'value'] as const)
        // Heads lie as far apart as there is room for positions: each is copied by itself.
        for (let head = 0; head < heads; head++)
          encoder.copyBufferToBuffer(
            from[part],
            from.offset + head * from.capacity * positionBytes,
            to[part],
            to.offset + head * to.capacity * positionBytes,
            positions * positionBytes,
          );
      device.queue.submit([encoder.finish()]);
    },
    tensor: (buffer, sequences, capacity) =>
      ort.Tensor.fromGpuBuffer(buffer, {
        dataType: 'float32',
        dims: [sequences, heads, capacity, headDim],
      }),
  };
}

interface Own {
  region: KvRegion;
  key: RunTensor;
  value: RunTensor;
}

export function createGpuKvCache(memory: KvMemory): GpuKvCache {
  /** Null before the first run, and while the contents are with others. */
  let own: Own | null = null;
  let shared: KvRegion | null = null;
  let length = 0;

  async function regionFor(capacity: number): Promise<Own> {
    const region = { ...(await memory.allocate(1, capacity)), offset: 0, capacity };
    const key = memory.tensor(region.key, 1, capacity);
    return { region, key, value: memory.tensor(region.value, 1, capacity) };
  }

  function freeOwn(): void {
    own?.region.key.destroy();
    own?.region.value.destroy();
    own = null;
  }

  /** Goes on in memory of its own, with room for `total` positions. */
  async function settle(total: number): Promise<Own> {
    const from = shared ?? own?.region;
    const next = await regionFor(memory.grown(from?.capacity ?? 0, total));
    if (from) memory.copy(from, next.region, length);
    freeOwn();
    shared = null;
    own = next;
    return next;
  }

  const cache: GpuKvCache = {
    get length() {
      return length;
    },
    get region() {
      return shared ?? own?.region ?? null;
    },
    async bind(total) {
      const { key, value } = own && total <= own.region.capacity ? own : await settle(total);
      return { past: { key, value }, present: { key, value } };
    },
    keep(_present, total) {
      length = total;
    },
    async copy(positions) {
      const copied = createGpuKvCache(memory);
      await copied.bind(positions);
      if (cache.region && copied.region) memory.copy(cache.region, copied.region, positions);
      copied.keep(null, positions);
      return copied;
    },
    moveTo(region) {
      if (cache.region) memory.copy(cache.region, region, length);
      freeOwn();
      shared = region;
    },
    async moveOut() {
      if (shared) await settle(length);
    },
    async blank(positions) {
      await cache.bind(positions);
      length = positions;
    },
    dispose() {
      freeOwn();
      shared = null;
      length = 0;
    },
  };
  return cache;
}

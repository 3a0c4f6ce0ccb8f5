/**
 * A KV cache in GPU memory: one buffer for keys and one for values. Both are bound as past and present at
 * once and written in place, so no run copies them. They double when full, up to the context's length.
 *
 * While the sequence is decoded together with others, its contents are in memory that these share
 * (`gpu-kv-pool.ts`). For a run alone they come back into its own buffers.
 */
import type { ModelConfig } from '../model/config.ts';
import type { KvCache } from './kv-cache.ts';
import { withMemory } from './out-of-memory.ts';
import type { RunTensor, Runtime } from './runtime.ts';

/** The number of positions that a new sequence has room for. */
const firstCapacity = 64;

/** The place of a sequence's keys and values: [heads, capacity, headDim] each, from `offset` bytes on. */
export interface KvRegion {
  readonly key: GPUBuffer;
  readonly value: GPUBuffer;
  readonly offset: number;
  /** The number of positions that fit; 0 before the first run. */
  readonly capacity: number;
}

export interface GpuKvCache extends KvCache {
  readonly region: KvRegion | null;
  /** Moves the contents to memory that somebody else owns, which must have room for `length` positions. */
  moveTo(region: KvRegion): void;
  /** Moves the contents to memory of its own. */
  moveOut(): Promise<void>;
  copy(length: number): Promise<GpuKvCache>;
}

/** The memory layout of a model's keys and values. */
export interface KvMemory {
  /** Bytes of one sequence's keys, or of its values. */
  bytes(capacity: number): number;
  /** `capacity`, grown until `total` positions fit. */
  grown(capacity: number, total: number): number;
  /** Allocates room for the keys and values of several sequences. Throws a sentence that names what lacks memory. */
  allocate(sequences: number, capacity: number): Promise<Pick<KvRegion, 'key' | 'value'>>;
  /** Copies the first `positions` from one region to another. */
  copy(from: KvRegion, to: KvRegion, positions: number): void;
  /** The first `sequences` of a buffer, as a tensor to bind. */
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
        // Between heads there is room for `capacity` positions, so each head is copied separately.
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
  /** Null before the first run, and while the contents are in shared memory. */
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

  /** Moves the contents to memory of its own, with room for `total` positions. */
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

/** A transformer block on this device, with the KV caches of its sequences. */
import { createGpuKvCache, createKvMemory } from './gpu-kv-cache.ts';
import { createGpuKvPool } from './gpu-kv-pool.ts';
import { createCpuKvCache, type KvCache } from './kv-cache.ts';
import {
  loadOnGpu,
  loadOnWasm,
  type BlockWeights,
  type BlockWeightsOptions,
} from './block-weights.ts';
import type { BoundCache } from './bound-cache.ts';
import { NotCached } from './not-cached.ts';
import type { RunTensor } from './runtime.ts';

export interface BlockLayer {
  kind: 'block';
  memoryBytes: number;
  /** The number of positions of this sequence in the cache. */
  length(sequence: number): number;
  /** From hidden state [1, tokens, hidden_size] to the same shape. Takes over `hidden`. */
  run(at: Positions, hidden: RunTensor): Promise<RunTensor>;
  /**
   * One new position of each of several sequences, [sequences, 1, hidden_size]. On a GPU a sequence's index
   * is its slot (`batch-slots.ts`), and slots that take no part are null.
   */
  runTogether(at: (Positions | null)[], hidden: RunTensor): Promise<RunTensor>;
  /** Copies the first `length` positions of `from` to the start of `to`. Throws if `from` has fewer. */
  fork(from: number, to: number, length: number): Promise<void>;
  /** Fills the sequence's cache with this many positions of zeros. */
  blank(sequence: number, positions: number): Promise<void>;
  release(sequence: number): void;
  dispose(): Promise<void>;
}

/** The sequence and the place in it of a run's new positions. */
export interface Positions {
  sequence: number;
  position: number;
  tokens: number;
}

export type BlockLayerOptions = BlockWeightsOptions;

export async function createBlockLayer(options: BlockLayerOptions): Promise<BlockLayer> {
  const { runtime, config, contextLength } = options;
  if (!runtime.device)
    return layerOver(await loadOnWasm(options), () => createCpuKvCache(runtime, config));
  const memory = createKvMemory(runtime, runtime.device, config, contextLength);
  const pool = createGpuKvPool(memory, contextLength);
  return layerOver(
    await loadOnGpu(options, pool),
    () => createGpuKvCache(memory),
    () => pool.tidy(),
  );
}

function layerOver<Cache extends { copy(length: number): Promise<Cache> } & KvCache>(
  weights: BlockWeights<Cache>,
  newCache: () => Cache,
  onReleased: () => void = () => undefined,
): BlockLayer {
  const caches = new Map<number, Cache>();

  function cacheOf(sequence: number): Cache {
    const cache = caches.get(sequence) ?? newCache();
    caches.set(sequence, cache);
    return cache;
  }

  function bound({ sequence, position, tokens }: Positions): BoundCache<Cache> {
    return { cache: cacheOf(sequence), total: position + tokens };
  }

  return {
    kind: 'block',
    memoryBytes: weights.memoryBytes,
    length: (sequence) => caches.get(sequence)?.length ?? 0,
    run: (at, hidden) => weights.run(bound(at), hidden),
    runTogether: (at, hidden) =>
      weights.runTogether(
        at.map((each) => each && bound(each)),
        hidden,
      ),
    async fork(from, to, length) {
      const source = caches.get(from);
      if (!source || source.length < length)
        throw new NotCached(
          `sequence ${from} holds ${source?.length ?? 0} positions: ${length} of them cannot be forked`,
        );
      const copy = await source.copy(length);
      caches.get(to)?.dispose();
      caches.set(to, copy);
    },
    blank: (sequence, positions) => cacheOf(sequence).blank(positions),
    release(sequence) {
      caches.get(sequence)?.dispose();
      caches.delete(sequence);
      onReleased();
    },
    async dispose() {
      for (const cache of caches.values()) cache.dispose();
      caches.clear();
      await weights.dispose();
    },
  };
}

/** Runs a hidden state through blocks; it stays on the device between them. */
export async function runBlocks(
  blocks: BlockLayer[],
  at: Positions,
  hidden: RunTensor,
): Promise<RunTensor> {
  let current = hidden;
  for (const block of blocks) current = await block.run(at, current);
  return current;
}

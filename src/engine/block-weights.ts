/** The sessions of a block: over one sequence's cache, and over those of several sequences decoded together. */
import type { AttentionSessions } from './attention-sessions.ts';
import { kvNames, lengthNames } from './attention.ts';
import { bindCaches, keepCaches, type BoundCache } from './bound-cache.ts';
import type { GpuKvCache } from './gpu-kv-cache.ts';
import type { GpuKvPool } from './gpu-kv-pool.ts';
import { heldTwiceBelowBytes } from './held-twice.ts';
import type { KvCache } from './kv-cache.ts';
import { openSession, type LayerOptions } from './layer.ts';
import { composeBlock, composeBlockParts, type BlockParts } from './layer-graph.ts';
import type { RunTensor, Session } from './runtime.ts';
import { takenTwice } from './tensor-source.ts';

export interface BlockWeights<Cache extends KvCache> {
  memoryBytes: number;
  /** [1, tokens, hidden_size]. */
  run(cache: BoundCache<Cache>, hidden: RunTensor): Promise<RunTensor>;
  /** [caches, 1, hidden_size]; null for a slot that takes no part. */
  runTogether(caches: (BoundCache<Cache> | null)[], hidden: RunTensor): Promise<RunTensor>;
  dispose(): Promise<void>;
}

export interface BlockWeightsOptions extends LayerOptions {
  /** The block's number from 0, as in tensor names. */
  block: number;
  attentions: AttentionSessions;
  /** On wasm, blocks of fewer bytes are also held whole. */
  wholeBelowBytes?: number;
}

/**
 * On wasm a block is cut around its attention, so that sequences decoded together share one pass over the
 * weights. A cut block takes three runs of ONNX Runtime instead of one. That costs too much for a small
 * block, which is also held whole.
 */
export async function loadOnWasm(options: BlockWeightsOptions): Promise<BlockWeights<KvCache>> {
  const [first, second] = takenTwice(options.tensors);
  const { wholeBelowBytes = heldTwiceBelowBytes } = options;
  const composed = composeBlockParts({ ...options, tensors: first, info: options.runtime.info });
  const isLarge = composed.memoryBytes >= wholeBelowBytes;
  if (isLarge) first.release();
  const parts = await loadParts(options, composed);
  if (isLarge) return parts;
  const whole = await loadWhole({ ...options, tensors: second });
  return {
    ...parts,
    memoryBytes: parts.memoryBytes + whole.memoryBytes,
    run: (cache, hidden) => whole.run(cache, hidden),
    async dispose() {
      await whole.dispose();
      await parts.dispose();
    },
  };
}

/** On a GPU one session does both, because adjacent caches in a pool are one tensor to it. */
export async function loadOnGpu(
  options: BlockWeightsOptions,
  pool: GpuKvPool,
): Promise<BlockWeights<GpuKvCache>> {
  const whole = await loadWhole(options);
  const { ort } = options.runtime;
  const names = kvNames(0);
  return {
    ...whole,
    async runTogether(runs, hidden) {
      const { key, value, totals } = await pool.bind(runs);
      const greatest = Int32Array.of(Math.max(...totals));
      const lasts = totals.map((total) => total - 1);
      const feeds = {
        hidden,
        [lengthNames.total]: new ort.Tensor('int32', greatest, [1]),
        [lengthNames.last]: new ort.Tensor('int32', lasts, [lasts.length]),
        [names.pastKey]: key,
        [names.pastValue]: value,
      };
      const fetches = { [whole.result]: null, [names.key]: key, [names.value]: value };
      const outputs = await whole.session.run(feeds, fetches);
      hidden.dispose();
      for (const run of runs) run?.cache.keep(null, run.total);
      return outputs[whole.result];
    },
    async dispose() {
      pool.dispose();
      await whole.dispose();
    },
  };
}

interface WholeBlock extends Omit<BlockWeights<KvCache>, 'runTogether'> {
  session: Session;
  result: string;
}

async function loadWhole({ runtime, ...options }: BlockWeightsOptions): Promise<WholeBlock> {
  const graph = composeBlock({ ...options, info: runtime.info });
  options.tensors.release();
  const { result, memoryBytes } = graph;
  const session = await openSession(runtime, graph, memoryBytes, [result]);
  return {
    session,
    result,
    memoryBytes,
    async run(cache, hidden) {
      const { feeds, fetches } = await bindCaches(runtime.ort, [cache]);
      const outputs = await session.run({ hidden, ...feeds }, { [result]: null, ...fetches });
      hidden.dispose();
      keepCaches([cache], outputs);
      return outputs[result];
    },
    dispose: () => session.release(),
  };
}

async function loadParts(
  { runtime, attentions }: BlockWeightsOptions,
  parts: BlockParts,
): Promise<BlockWeights<KvCache>> {
  const { attention, projections, memoryBytes } = parts;
  const before = await openSession(runtime, parts.before, memoryBytes, []);
  const after = await openSession(runtime, parts.after, memoryBytes, []);
  async function run(caches: BoundCache[], hidden: RunTensor): Promise<RunTensor> {
    const projected = await before.run({ hidden });
    const qkv = projections.map((name) => projected[name]);
    const attended = await attentions.run(attention, caches, qkv);
    const outputs = await after.run({ hidden, attended });
    return outputs[parts.after.result];
  }
  return {
    memoryBytes,
    run: (cache, hidden) => run([cache], hidden),
    runTogether: (caches, hidden) =>
      run(
        caches.filter((cache) => cache !== null),
        hidden,
      ),
    async dispose() {
      await before.release();
      await after.release();
    },
  };
}

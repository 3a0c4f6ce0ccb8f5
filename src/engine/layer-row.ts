/**
 * A transformer layer on this device.
 *
 * On wasm it is cut around its attention, so that sequences decoded together share one pass over the
 * weights. A cut layer takes three runs of ONNX Runtime instead of one: too much for a small layer, which
 * is therefore held whole as well.
 */
import type { AttentionSessions } from './attention-sessions.ts';
import { bindCaches, keepCaches, type BoundCache } from './bound-cache.ts';
import { createKvCache, type KvCache } from './kv-cache.ts';
import { openSession, type RowOptions } from './row.ts';
import { composeLayer, composeLayerParts } from './row-graph.ts';
import type { RunTensor } from './runtime.ts';
import { takenTwice } from './tensor-source.ts';

export interface LayerRow {
  kind: 'layer';
  memoryBytes: number;
  /** Positions of this sequence that the row holds. */
  length(sequence: number): number;
  /** Hidden state [1, tokens, hidden_size] in, the same shape out. `hidden` is given up. */
  run(at: Positions, hidden: RunTensor): Promise<RunTensor>;
  /**
   * One new position of each of several sequences, [1, sequences, hidden_size]; null where this row gains
   * nothing by running them together.
   */
  runTogether: ((at: Positions[], hidden: RunTensor) => Promise<RunTensor>) | null;
  /** Has `to` begin with the first `length` positions of `from`. Throws if it holds fewer. */
  fork(from: number, to: number, length: number): Promise<void>;
  /** Has `sequence` hold so many positions of zeros. */
  blank(sequence: number, positions: number): Promise<void>;
  release(sequence: number): void;
  dispose(): Promise<void>;
}

/** Where in which sequence the new positions of a run lie. */
export interface Positions {
  sequence: number;
  position: number;
  tokens: number;
}

export interface LayerRowOptions extends RowOptions {
  /** Which of the model's layers, from 0. */
  layer: number;
  attentions: AttentionSessions;
  /** Layers of fewer bytes are held whole as well. */
  wholeBelowBytes?: number;
}

/** Two more runs cost about 0.05 ms; reading 16 MiB of weights takes ten times as long. */
const defaultWholeBelowBytes = 16 * 2 ** 20;

export async function createLayerRow(options: LayerRowOptions): Promise<LayerRow> {
  const { runtime, config, contextLength } = options;
  const caches = new Map<number, KvCache>();
  const weights = await loadWeights(options);
  const { runTogether } = weights;

  function cacheOf(sequence: number): KvCache {
    const cache = caches.get(sequence) ?? createKvCache(runtime, config, contextLength);
    caches.set(sequence, cache);
    return cache;
  }

  function bound({ sequence, position, tokens }: Positions): BoundCache {
    return { cache: cacheOf(sequence), total: position + tokens };
  }

  return {
    kind: 'layer',
    memoryBytes: weights.memoryBytes,
    length: (sequence) => caches.get(sequence)?.length ?? 0,
    run: (at, hidden) => weights.run([bound(at)], hidden),
    runTogether: runTogether && ((at, hidden) => runTogether(at.map(bound), hidden)),
    async fork(from, to, length) {
      const source = caches.get(from);
      if (!source || source.length < length)
        throw new RangeError(
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
    },
    async dispose() {
      for (const cache of caches.values()) cache.dispose();
      caches.clear();
      await weights.dispose();
    },
  };
}

type RunCaches = (caches: BoundCache[], hidden: RunTensor) => Promise<RunTensor>;

interface LayerWeights {
  memoryBytes: number;
  run: RunCaches;
  runTogether: RunCaches | null;
  dispose(): Promise<void>;
}

async function loadWeights(options: LayerRowOptions): Promise<LayerWeights> {
  if (options.runtime.device) return { ...(await loadWhole(options)), runTogether: null };
  const [first, second] = takenTwice(options.tensors);
  const parts = await loadParts({ ...options, tensors: first });
  const { wholeBelowBytes = defaultWholeBelowBytes } = options;
  if (parts.memoryBytes >= wholeBelowBytes) return { ...parts, runTogether: parts.run };
  const whole = await loadWhole({ ...options, tensors: second });
  return {
    memoryBytes: parts.memoryBytes + whole.memoryBytes,
    run: whole.run,
    runTogether: parts.run,
    async dispose() {
      await whole.dispose();
      await parts.dispose();
    },
  };
}

type LoadedWeights = Omit<LayerWeights, 'runTogether'>;

async function loadWhole({ runtime, ...options }: LayerRowOptions): Promise<LoadedWeights> {
  const graph = composeLayer({ ...options, info: runtime.info });
  const { result, memoryBytes } = graph;
  const session = await openSession(runtime, graph, memoryBytes, [result]);
  return {
    memoryBytes,
    async run(caches, hidden) {
      const { feeds, fetches } = await bindCaches(runtime.ort, caches);
      const outputs = await session.run({ hidden, ...feeds }, { [result]: null, ...fetches });
      hidden.dispose();
      keepCaches(caches, outputs);
      return outputs[result];
    },
    dispose: () => session.release(),
  };
}

async function loadParts({ runtime, ...options }: LayerRowOptions): Promise<LoadedWeights> {
  const parts = composeLayerParts({ ...options, info: runtime.info });
  const { attention, projections, memoryBytes } = parts;
  const before = await openSession(runtime, parts.before, memoryBytes, []);
  const after = await openSession(runtime, parts.after, memoryBytes, []);
  return {
    memoryBytes,
    async run(caches, hidden) {
      const projected = await before.run({ hidden });
      const qkv = projections.map((name) => projected[name]);
      const attended = await options.attentions.run(attention, caches, qkv);
      const outputs = await after.run({ hidden, attended });
      return outputs[parts.after.result];
    },
    async dispose() {
      await before.release();
      await after.release();
    },
  };
}

/** A hidden state's way through layers, each handing on to the next without leaving the device. */
export async function runLayers(
  layers: LayerRow[],
  at: Positions,
  hidden: RunTensor,
): Promise<RunTensor> {
  let current = hidden;
  for (const layer of layers) current = await layer.run(at, current);
  return current;
}

/** One row on this device: its weights in a session of their own, and how it is run. */
import type { ModelConfig } from '../model/config.ts';
import type { WeightType } from './engine.ts';
import { createEmbedding, type Embedding } from './embedding.ts';
import { createKvCache, type KvCache } from './kv-cache.ts';
import { withMemory } from './out-of-memory.ts';
import { composeHead, composeLayer, type RowGraph } from './row-graph.ts';
import type { TensorSource } from './tensor-source.ts';
import {
  createSession,
  int32,
  int64,
  type RunTensor,
  type Runtime,
  type Session,
} from './runtime.ts';

export type Row = EmbeddingRow | LayerRow | HeadRow;

export interface EmbeddingRow extends Embedding {
  kind: 'embed';
  dispose(): Promise<void>;
}

/** Where in which sequence the new positions of a run lie. */
export interface Positions {
  sequence: number;
  position: number;
  tokens: number;
}

export interface LayerRow {
  kind: 'layer';
  memoryBytes: number;
  /** Positions of this sequence that the row holds. */
  length(sequence: number): number;
  /** Hidden state [1, tokens, hidden_size] in, the same shape out. `hidden` is given up. */
  run(at: Positions, hidden: RunTensor): Promise<RunTensor>;
  /** Has `to` begin with the first `length` positions of `from`. Throws if it holds fewer. */
  fork(from: number, to: number, length: number): Promise<void>;
  release(sequence: number): void;
  dispose(): Promise<void>;
}

export interface HeadRow {
  kind: 'head';
  memoryBytes: number;
  /** Logits [1, positions, vocab_size] of the last `positions` of `tokens`. `hidden` is given up. */
  run(tokens: number, positions: number, hidden: RunTensor): Promise<RunTensor>;
  dispose(): Promise<void>;
}

export interface RowOptions {
  runtime: Runtime;
  config: ModelConfig;
  contextLength: number;
  weights: WeightType;
  tensors: TensorSource;
}

export function createEmbeddingRow({ config, tensors, weights }: RowOptions): EmbeddingRow {
  const embedding = createEmbedding(config, tensors.take('model.embed_tokens.weight'), weights);
  tensors.expectEmpty();
  return { kind: 'embed', ...embedding, dispose: () => Promise.resolve() };
}

export async function createLayerRow(options: RowOptions): Promise<LayerRow> {
  const { runtime, config, contextLength } = options;
  const { ort } = runtime;
  const graph = composeLayer({ ...options, info: runtime.info });
  const { result, memoryBytes } = graph;
  const session = await openSession(runtime, graph, [result]);
  const caches = new Map<number, KvCache>();

  return {
    kind: 'layer',
    memoryBytes,
    length: (sequence) => caches.get(sequence)?.length ?? 0,
    async run({ sequence, position, tokens }, hidden) {
      const cache = caches.get(sequence) ?? createKvCache(runtime, config, contextLength);
      caches.set(sequence, cache);
      const total = position + tokens;
      const { past, present } = await cache.bind(total);
      const outputs = await session.run(
        {
          hidden,
          ...past,
          last_position: int32(ort, total - 1),
          total_length: int32(ort, total),
        },
        { [result]: null, ...present },
      );
      hidden.dispose();
      cache.keep(outputs, total);
      return outputs[result];
    },
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
    release(sequence) {
      caches.get(sequence)?.dispose();
      caches.delete(sequence);
    },
    async dispose() {
      for (const cache of caches.values()) cache.dispose();
      caches.clear();
      await session.release();
    },
  };
}

export async function createHeadRow(options: RowOptions): Promise<HeadRow> {
  const { runtime } = options;
  const graph = composeHead({ ...options, info: runtime.info });
  const { result, memoryBytes } = graph;
  const session = await openSession(runtime, graph, []);
  return {
    kind: 'head',
    memoryBytes,
    async run(tokens, positions, hidden) {
      const first = int64(runtime.ort, tokens - positions);
      const outputs = await session.run({ hidden, first_position: first });
      hidden.dispose();
      return outputs[result];
    },
    dispose: () => session.release(),
  };
}

function openSession(runtime: Runtime, graph: RowGraph, gpuOutputs: string[]): Promise<Session> {
  return withMemory(runtime.device, "a row's weights", graph.memoryBytes, () =>
    createSession(runtime, graph, gpuOutputs),
  );
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

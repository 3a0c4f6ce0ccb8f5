/** The first and the last layer of a model: the embedding and the head. */
import { embeddingScale } from './architectures/index.ts';
import { createEmbedding, type Embedding } from './embedding.ts';
import { composeHead } from './layer-graph.ts';
import { openSession, type LayerOptions } from './layer.ts';
import { int64, type RunTensor } from './runtime.ts';

export interface EmbeddingLayer extends Embedding {
  kind: 'embed';
  dispose(): Promise<void>;
}

export interface HeadLayer {
  kind: 'head';
  memoryBytes: number;
  /** Logits [sequences, positions, vocab_size] of the last `positions` of `tokens`. Takes over `hidden`. */
  run(tokens: number, positions: number, hidden: RunTensor): Promise<RunTensor>;
  dispose(): Promise<void>;
}

export function createEmbeddingLayer({ config, tensors, weights }: LayerOptions): EmbeddingLayer {
  const table = tensors.take('model.embed_tokens.weight');
  const embedding = createEmbedding(config, table, weights, embeddingScale(config));
  tensors.expectEmpty();
  return { kind: 'embed', ...embedding, dispose: () => Promise.resolve() };
}

export async function createHeadLayer({ runtime, ...options }: LayerOptions): Promise<HeadLayer> {
  const graph = composeHead({ ...options, info: runtime.info });
  options.tensors.release();
  const { result, memoryBytes } = graph;
  const session = await openSession(runtime, graph, memoryBytes, []);
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

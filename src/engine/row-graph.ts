/** Composes the graph of one row. Names of inputs and outputs here are what the row's session is fed with. */
import type { ModelConfig } from '../model/config.ts';
import { architectureFor } from './architectures/index.ts';
import type { EngineInfo, WeightType } from './engine.ts';
import { createForward, kvCacheOutputs } from './forward.ts';
import { createGraph, type ComposedGraph } from './onnx/graph.ts';
import type { TensorSource } from './tensor-source.ts';

export interface RowGraphOptions {
  config: ModelConfig;
  info: EngineInfo;
  weights: WeightType;
  contextLength: number;
  tensors: TensorSource;
}

export interface RowGraph extends ComposedGraph {
  /** Name of the output that is the row's result. */
  result: string;
  /** Bytes of all constants: what the row occupies on the device. */
  memoryBytes: number;
}

/** One transformer layer: hidden state and KV cache in, hidden state and KV cache out. */
export function composeLayer(options: RowGraphOptions): RowGraph {
  const { config, tensors } = options;
  const graph = createGraph('layer');
  const cacheShape = (length: string) => [1, config.num_key_value_heads, length, config.head_dim];
  const hidden = graph.input('hidden', 'float32', [1, 'tokens', config.hidden_size]);
  const attentionState = {
    pastKey: graph.input('past_key', 'float32', cacheShape('past')),
    pastValue: graph.input('past_value', 'float32', cacheShape('past')),
    lastPosition: graph.input('last_position', 'int32', [1]),
    totalLength: graph.input('total_length', 'int32', [1]),
  };
  const forward = createForward({ ...options, graph, attentionState });

  const result = architectureFor(config).layer(forward, hidden);

  tensors.expectEmpty();
  graph.output(result, 'float32', [1, 'tokens', config.hidden_size]);
  for (const name of Object.values(kvCacheOutputs))
    graph.output({ name }, 'float32', cacheShape('total'));
  return { ...graph.compose(), result: result.name, memoryBytes: graph.constantBytes() };
}

/** Final norm, then logits of the positions from `first_position` on. */
export function composeHead(options: RowGraphOptions): RowGraph {
  const { config, tensors } = options;
  const graph = createGraph('head');
  const hidden = graph.input('hidden', 'float32', [1, 'tokens', config.hidden_size]);
  const first = graph.input('first_position', 'int64', [1]);
  const forward = createForward({ ...options, graph });

  const last = forward.positionsFrom(hidden, first);
  const normed = forward.rmsNorm(last, 'model.norm');
  const projection = tensors.has('lm_head.weight') ? 'lm_head' : 'model.embed_tokens';
  const logits = forward.linear(normed, projection);

  tensors.expectEmpty();
  graph.output(logits, 'float32', [1, 'positions', config.vocab_size]);
  return { ...graph.compose(), result: logits.name, memoryBytes: graph.constantBytes() };
}

/**
 * Composes the graph of one layer. The names of its inputs and outputs are those that the layer's session is
 * fed with.
 */
import type { ModelConfig } from '../model/config.ts';
import { logitScaling, transformerBlock } from './architectures/index.ts';
import type { EngineInfo, WeightType } from './engine.ts';
import { addAttention, type AttentionKind } from './attention.ts';
import { createForward } from './forward.ts';
import { createGraph, type ComposedGraph, type Graph, type Value } from './onnx/graph.ts';
import type { TensorSource } from './tensor-source.ts';

export interface LayerGraphOptions {
  config: ModelConfig;
  info: EngineInfo;
  weights: WeightType;
  contextLength: number;
  tensors: TensorSource;
}

export interface BlockGraphOptions extends LayerGraphOptions {
  /** The block's number from 0, as in tensor names. */
  block: number;
}

export interface LayerGraph extends ComposedGraph {
  /** The name of the output with the layer's result. */
  result: string;
  /** Bytes of all constants, which the layer occupies on the device. */
  memoryBytes: number;
}

/** One transformer block, from hidden state and KV cache to hidden state and KV cache. */
export function composeBlock(options: BlockGraphOptions): LayerGraph {
  const { config, tensors } = options;
  const graph = createGraph('block');
  const hidden = graph.input('hidden', 'float32', ['batch', 'tokens', config.hidden_size]);
  const forward = createForward({
    ...options,
    graph,
    attend(qkv, pattern) {
      const [value] = addAttention(graph, options, [qkv], pattern);
      return { value, graph };
    },
  });

  const result = transformerBlock(forward, hidden, options.block);

  tensors.expectEmpty();
  graph.output(result, 'float32', ['batch', 'tokens', config.hidden_size]);
  return finished(graph, result);
}

/** A block without its attention: the parts before and after it, and the kind of its attention. */
export interface BlockParts {
  before: ComposedGraph;
  /** Names of `before`'s outputs, in the order of `projectionNames`. */
  projections: string[];
  attention: AttentionKind;
  /** Takes `hidden` and `attended`. */
  after: LayerGraph;
  memoryBytes: number;
}

/** The same block, cut around its attention, so that the rest can be shared by several sequences. */
export function composeBlockParts(options: BlockGraphOptions): BlockParts {
  const { config, tensors } = options;
  const [before, after] = [createGraph('before attention'), createGraph('after attention')];
  const hiddenShape = ['batch', 'tokens', config.hidden_size];
  const hidden = before.input('hidden', 'float32', hiddenShape);
  after.input(hidden.name, 'float32', hiddenShape);
  const cuts: { projections: Value[]; attention: AttentionKind }[] = [];
  const forward = createForward({
    ...options,
    graph: before,
    attend(qkv, pattern) {
      const packed = 'packed' in qkv;
      const projections = packed ? [qkv.packed] : [qkv.q, qkv.k, qkv.v];
      cuts.push({ projections, attention: { packed, ...pattern } });
      const width = config.num_attention_heads * config.head_dim;
      return {
        value: after.input('attended', 'float32', ['batch', 'tokens', width]),
        graph: after,
      };
    },
  });

  const result = transformerBlock(forward, hidden, options.block);

  tensors.expectEmpty();
  const [cut] = cuts;
  if (cuts.length !== 1)
    throw new Error(
      `a block attends once, and this ${config.model_type} does ${cuts.length} times`,
    );
  cut.projections.forEach((value, index) =>
    before.output(value, 'float32', ['batch', 'tokens', `width_${index}`]),
  );
  after.output(result, 'float32', hiddenShape);
  const rest = finished(after, result);
  return {
    before: before.compose(),
    projections: cut.projections.map(({ name }) => name),
    attention: cut.attention,
    after: rest,
    memoryBytes: before.constantBytes() + rest.memoryBytes,
  };
}

/** Final norm, then logits of the positions from `first_position` on. */
export function composeHead(options: LayerGraphOptions): LayerGraph {
  const { config, tensors } = options;
  const graph = createGraph('head');
  const hidden = graph.input('hidden', 'float32', ['batch', 'tokens', config.hidden_size]);
  const first = graph.input('first_position', 'int64', [1]);
  const forward = createForward({ ...options, graph });

  const last = forward.positionsFrom(hidden, first);
  const normed = forward.rmsNorm(last, 'model.norm');
  const projection = tensors.has('lm_head.weight') ? 'lm_head' : 'model.embed_tokens';
  const products = forward.linear(normed, projection);
  const { divisor, bound } = logitScaling(config);
  const scaled = divisor === 1 ? products : forward.scale(products, 1 / divisor, 'logits_scaling');
  const logits = bound === null ? scaled : forward.softCap(scaled, bound);

  tensors.expectEmpty();
  graph.output(logits, 'float32', ['batch', 'positions', config.vocab_size]);
  return finished(graph, logits);
}

function finished(graph: Graph, result: Value): LayerGraph {
  return { ...graph.compose(), result: result.name, memoryBytes: graph.constantBytes() };
}

/**
 * The functions in which an architecture writes its forward pass. Each adds operators, and the weights that
 * it names, to the graph of one layer. The choice of operator depends on the backend and the weight type.
 *
 * Activations are [sequences, tokens, width], float32.
 */
import type { ModelConfig } from '../model/config.ts';
import { dequantise } from '../model/numbers/dequantise.ts';
import type { EngineInfo, StoredTensor, WeightType } from './engine.ts';
import { everywhere, type AttentionPattern, type Projections } from './attention.ts';
import { addLinear } from './linear.ts';
import type { Graph, Value } from './onnx/graph.ts';
import type { TensorSource } from './tensor-source.ts';

export interface Forward {
  readonly config: ModelConfig;
  /** Root mean square norm over the last dimension, times the learned weight. */
  rmsNorm(x: Value, name: string): Value;
  /** `rmsNorm` over each head of [sequences, tokens, heads * head_dim]. */
  headRmsNorm(x: Value, name: string): Value;
  /** x·Wᵀ, with `bias` + b. Outputs of several names are concatenated, and computed as one product. */
  linear(x: Value, names: string | string[], options?: { bias: boolean }): Value;
  /** The positions of [sequences, tokens, width] from `first` (int64 [1]) on. */
  positionsFrom(x: Value, first: Value): Value;
  add(a: Value, b: Value): Value;
  multiply(a: Value, b: Value): Value;
  /** x times a number. `name` is that constant's, different from others of the layer. */
  scale(x: Value, factor: number, name: string): Value;
  /** x·sigmoid(x). */
  silu(x: Value): Value;
  /** x·Φ(x) by its approximation with tanh (arXiv 1606.08415). */
  gelu(x: Value): Value;
  /** bound·tanh(x / bound). */
  softCap(x: Value, bound: number): Value;
  /**
   * Rotary position embedding, then causal attention over this sequence's KV cache and the new positions,
   * within the window of `pattern`. Takes q, k and v concatenated or separate.
   */
  attention(qkv: Projections, pattern?: Partial<AttentionPattern>): Value;
}

/** The result of attention, and the graph in which the block continues. */
export interface Attended {
  value: Value;
  graph: Graph;
}

export interface ForwardOptions {
  graph: Graph;
  config: ModelConfig;
  info: EngineInfo;
  weights: WeightType;
  contextLength: number;
  tensors: TensorSource;
  /** Adds attention, to this graph or separately. Absent in layers without attention. */
  attend?: (qkv: Projections, pattern: AttentionPattern) => Attended;
}

/** Means "to the end" to the operator Slice. */
const lastIndex = 2n ** 31n - 1n;

export function createForward(options: ForwardOptions): Forward {
  const { config, tensors } = options;
  let { graph } = options;
  const epsilon = { float: config.rms_norm_eps };

  function rmsNorm(x: Value, name: string): Value {
    const tensor = tensors.take(`${name}.weight`);
    const offset = config.norm_weight_offset ?? 0;
    const weight = toFloat32(tensor).map((value) => value + offset);
    return graph.node(
      'SimplifiedLayerNormalization',
      [x, graph.constant(tensor.name, 'float32', tensor.shape, weight)],
      { attributes: { epsilon, axis: -1 } },
    );
  }

  function reshape(x: Value, name: string, shape: number[]): Value {
    const sizes = new BigInt64Array(shape.map(BigInt));
    return graph.node('Reshape', [x, graph.constant(name, 'int64', [shape.length], sizes)]);
  }

  return {
    config,
    rmsNorm,
    headRmsNorm(x, name) {
      const heads = reshape(x, `${name}.heads`, [0, 0, -1, config.head_dim]);
      return reshape(rmsNorm(heads, name), `${name}.joined`, [0, 0, -1]);
    },
    linear(x, names, { bias } = { bias: false }) {
      const list = typeof names === 'string' ? [names] : names;
      const product = addLinear(
        { ...options, graph },
        x,
        list.map((name) => tensors.take(`${name}.weight`)),
      );
      if (!bias) return product;
      const biases = list.map((name) => toFloat32(tensors.take(`${name}.bias`)));
      const joined = Float32Array.from(biases.flatMap((values) => [...values]));
      return graph.node('Add', [
        product,
        graph.constant(`${list.join('+')}.bias`, 'float32', [joined.length], joined),
      ]);
    },
    positionsFrom(x, first) {
      const end = graph.constant('positions.end', 'int64', [1], BigInt64Array.of(lastIndex));
      const axis = graph.constant('positions.axis', 'int64', [1], BigInt64Array.of(1n));
      return graph.node('Slice', [x, first, end, axis]);
    },
    add: (a, b) => graph.node('Add', [a, b]),
    multiply: (a, b) => graph.node('Mul', [a, b]),
    scale: (x, factor, name) =>
      graph.node('Mul', [x, graph.constant(name, 'float32', [], Float32Array.of(factor))]),
    silu: (x) => graph.node('Mul', [x, graph.node('Sigmoid', [x])]),
    gelu: (x) => graph.node('FastGelu', [x], { domain: 'com.microsoft' }),
    softCap(x, bound) {
      const scale = graph.constant('soft_cap', 'float32', [], Float32Array.of(bound));
      return graph.node('Mul', [graph.node('Tanh', [graph.node('Div', [x, scale])]), scale]);
    },
    attention(qkv, pattern = {}) {
      if (!options.attend) throw new Error('this layer has no KV cache to attend to');
      const attended = options.attend(qkv, { ...everywhere, ...pattern });
      graph = attended.graph;
      return attended.value;
    },
  };
}

function toFloat32(tensor: StoredTensor): Float32Array {
  return dequantise(tensor.dtype, tensor.data);
}

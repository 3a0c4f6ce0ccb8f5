/**
 * The tensors of each layer of every supported architecture, under their Hugging Face names. Readers of
 * checkpoints look for them, manifests are checked against them, and the engine finds its weights by them.
 */
import type { ModelConfig } from './config.ts';

/** Supported architectures, by their `model_type`. */
export const architectures = ['llama', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'gemma3'] as const;

export type Architecture = (typeof architectures)[number];

export interface TensorShape {
  name: string;
  /** Outermost dimension first; a projection's weight is [out, in]. */
  shape: number[];
}

export const embeddingName = 'model.embed_tokens.weight';
export const headName = 'lm_head.weight';
export const finalNormName = 'model.norm.weight';

export function isSupported(modelType: string): modelType is Architecture {
  return architectures.some((name) => name === modelType);
}

export function embedTensors({ vocab_size, hidden_size }: ModelConfig): TensorShape[] {
  return [{ name: embeddingName, shape: [vocab_size, hidden_size] }];
}

/** The head's own projection, or the embedding's if the two are tied. */
function headTensors(config: ModelConfig): TensorShape[] {
  const projection = config.tie_word_embeddings ? embeddingName : headName;
  return [
    { name: finalNormName, shape: [config.hidden_size] },
    { name: projection, shape: [config.vocab_size, config.hidden_size] },
  ];
}

/** One transformer block, counted from 0, in the order of data flow. */
export function blockTensors(config: ModelConfig, block: number): TensorShape[] {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: headDim } = config;
  const { model_type: type, mlp_bias: mlpBias = false } = config;
  const queries = config.num_attention_heads * headDim;
  const keys = config.num_key_value_heads * headDim;
  // Qwen 2 always has biases on q, k and v. Llama's option adds one to the output projection too.
  const attentionBias = config.attention_bias || type === 'qwen2';
  const outputBias = config.attention_bias && type === 'llama';
  const headNorms = type === 'qwen3' || type === 'gemma3';
  const innerNorms = type === 'gemma2' || type === 'gemma3';

  const norm = (name: string, width: number): Shapes => [[`${name}.weight`, [width]]];
  const linear = (name: string, out: number, inputs: number, bias: boolean): Shapes => [
    [`${name}.weight`, [out, inputs]],
    ...(bias ? ([[`${name}.bias`, [out]]] satisfies Shapes) : []),
  ];
  const tensors: Shapes = [
    ...norm('input_layernorm', hidden),
    ...linear('self_attn.q_proj', queries, hidden, attentionBias),
    ...linear('self_attn.k_proj', keys, hidden, attentionBias),
    ...linear('self_attn.v_proj', keys, hidden, attentionBias),
    ...(headNorms
      ? [...norm('self_attn.q_norm', headDim), ...norm('self_attn.k_norm', headDim)]
      : []),
    ...linear('self_attn.o_proj', hidden, queries, outputBias),
    ...norm('post_attention_layernorm', hidden),
    ...(innerNorms ? norm('pre_feedforward_layernorm', hidden) : []),
    ...linear('mlp.gate_proj', inner, hidden, mlpBias),
    ...linear('mlp.up_proj', inner, hidden, mlpBias),
    ...linear('mlp.down_proj', hidden, inner, mlpBias),
    ...(innerNorms ? norm('post_feedforward_layernorm', hidden) : []),
  ];
  return tensors.map(([name, shape]) => ({ name: `${blockPrefix(block)}${name}`, shape }));
}

type Shapes = [name: string, shape: number[]][];

/** The start of the names of a block's tensors. */
export function blockPrefix(block: number): string {
  return `model.layers.${block}.`;
}

/**
 * The layers of a model in the manifest's order: `embed`, every block, `head`. Manifests name blocks
 * `layer.0`, `layer.1` and so on.
 */
export function layerTensors(config: ModelConfig): {
  name: string;
  kind: 'embed' | 'block' | 'head';
  tensors: TensorShape[];
}[] {
  const blocks = Array.from({ length: config.num_hidden_layers }, (_, block) => ({
    name: `layer.${block}`,
    kind: 'block' as const,
    tensors: blockTensors(config, block),
  }));
  return [
    { name: 'embed', kind: 'embed', tensors: embedTensors(config) },
    ...blocks,
    { name: 'head', kind: 'head', tensors: headTensors(config) },
  ];
}

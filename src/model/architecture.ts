/**
 * Which tensors a row of each supported architecture consists of, under their Hugging Face names. Readers
 * look for these, a manifest is checked against them, and the engine finds its weights by them.
 */
import type { ModelConfig } from './config.ts';

/** Architectures whose rows can be run, as `model_type` names them. */
export const architectures = ['llama', 'mistral', 'qwen2', 'qwen3'] as const;

export type Architecture = (typeof architectures)[number];

export interface TensorShape {
  name: string;
  /** Outermost first; a projection's weight is [out, in]. */
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

/** The head's own projection, or the embedding's again where the two are tied. */
export function headTensors(config: ModelConfig): TensorShape[] {
  const projection = config.tie_word_embeddings ? embeddingName : headName;
  return [
    { name: finalNormName, shape: [config.hidden_size] },
    { name: projection, shape: [config.vocab_size, config.hidden_size] },
  ];
}

/** One transformer layer, in the order in which data flows through it. */
export function layerTensors(config: ModelConfig, layer: number): TensorShape[] {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: headDim } = config;
  const queries = config.num_attention_heads * headDim;
  const keys = config.num_key_value_heads * headDim;
  const tensors: [string, number[]][] = [
    ['input_layernorm.weight', [hidden]],
    ['self_attn.q_proj.weight', [queries, hidden]],
    ['self_attn.k_proj.weight', [keys, hidden]],
    ['self_attn.v_proj.weight', [keys, hidden]],
  ];
  if (config.attention_bias)
    tensors.push(
      ['self_attn.q_proj.bias', [queries]],
      ['self_attn.k_proj.bias', [keys]],
      ['self_attn.v_proj.bias', [keys]],
    );
  if (config.model_type === 'qwen3')
    tensors.push(['self_attn.q_norm.weight', [headDim]], ['self_attn.k_norm.weight', [headDim]]);
  tensors.push(['self_attn.o_proj.weight', [hidden, queries]]);
  // Llama's own option puts a bias on the output projection too; Qwen 2 has it on q, k and v alone.
  if (config.attention_bias && config.model_type === 'llama')
    tensors.push(['self_attn.o_proj.bias', [hidden]]);
  tensors.push(
    ['post_attention_layernorm.weight', [hidden]],
    ['mlp.gate_proj.weight', [inner, hidden]],
    ['mlp.up_proj.weight', [inner, hidden]],
    ['mlp.down_proj.weight', [hidden, inner]],
  );
  return tensors.map(([name, shape]) => ({ name: `model.layers.${layer}.${name}`, shape }));
}

/** The rows of a model in the manifest's order: `embed`, every layer, `head`. */
export function rowTensors(config: ModelConfig): {
  name: string;
  kind: 'embed' | 'layer' | 'head';
  tensors: TensorShape[];
}[] {
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer) => ({
    name: `layer.${layer}`,
    kind: 'layer' as const,
    tensors: layerTensors(config, layer),
  }));
  return [
    { name: 'embed', kind: 'embed', tensors: embedTensors(config) },
    ...layers,
    { name: 'head', kind: 'head', tensors: headTensors(config) },
  ];
}

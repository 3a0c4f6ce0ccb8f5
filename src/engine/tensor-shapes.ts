/** The shapes that an architecture's figures promise, by a tensor's name inside its row. */
import type { ModelConfig } from '../model/config.ts';

/** Outermost first; a projection is [out, in]. Throws on a name that no architecture here uses. */
export function tensorShape(config: ModelConfig, name: string): number[] {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary } = config;
  const { head_dim: headDim } = config;
  const queries = config.num_attention_heads * headDim;
  const keys = config.num_key_value_heads * headDim;
  const shapes: Record<string, number[]> = {
    'model.embed_tokens.weight': [vocabulary, hidden],
    'input_layernorm.weight': [hidden],
    'self_attn.q_proj.weight': [queries, hidden],
    'self_attn.k_proj.weight': [keys, hidden],
    'self_attn.v_proj.weight': [keys, hidden],
    'self_attn.q_proj.bias': [queries],
    'self_attn.k_proj.bias': [keys],
    'self_attn.v_proj.bias': [keys],
    'self_attn.q_norm.weight': [headDim],
    'self_attn.k_norm.weight': [headDim],
    'self_attn.o_proj.weight': [hidden, queries],
    'post_attention_layernorm.weight': [hidden],
    'mlp.gate_proj.weight': [inner, hidden],
    'mlp.up_proj.weight': [inner, hidden],
    'mlp.down_proj.weight': [hidden, inner],
    'model.norm.weight': [hidden],
    'lm_head.weight': [vocabulary, hidden],
  };
  if (!(name in shapes)) throw new Error(`no architecture here has a tensor named ${name}`);
  return shapes[name];
}

/** The matrices of a layer: nearly all of its bytes, whatever the architecture adds. */
export const layerTensors = [
  'self_attn.q_proj.weight',
  'self_attn.k_proj.weight',
  'self_attn.v_proj.weight',
  'self_attn.o_proj.weight',
  'mlp.gate_proj.weight',
  'mlp.up_proj.weight',
  'mlp.down_proj.weight',
] as const;

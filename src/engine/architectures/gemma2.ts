/**
 * Gemma 2 (arXiv 2408.00118): norms before and after both halves of a block, a sliding window in every other
 * block, soft bounds on attention scores and logits, GeGLU, embeddings scaled by √hidden_size.
 */
import type { Forward } from '../forward.ts';
import type { Value } from '../onnx/graph.ts';
import type { Architecture } from './architecture.ts';

export const gemma2: Architecture = {
  modelType: 'gemma2',
  activation: 'gelu_pytorch_tanh',
  embeddingScale: (config) => Math.sqrt(config.hidden_size),
  block(f, x, block) {
    const h = f.rmsNorm(x, 'input_layernorm');
    const packed = f.linear(h, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
    const window = keepsToWindow(f, block) ? (f.config.sliding_window ?? Infinity) : Infinity;
    const attended = f.attention({ packed }, { window });
    const joined = f.linear(attended, 'self_attn.o_proj');
    return feedForward(f, f.add(x, f.rmsNorm(joined, 'post_attention_layernorm')));
  },
};

/** Gemma's blocks attend either to a window or to all positions. */
export function keepsToWindow({ config }: Forward, block: number): boolean {
  return config.layer_types?.[block] === 'sliding_attention';
}

/** The second half of a block, between its two norms. */
export function feedForward(f: Forward, x: Value): Value {
  const h = geGlu(f, f.rmsNorm(x, 'pre_feedforward_layernorm'));
  return f.add(x, f.rmsNorm(h, 'post_feedforward_layernorm'));
}

/** Feed-forward with a gate (arXiv 2002.05202): down(gelu(gate(x)) * up(x)). */
function geGlu(f: Forward, x: Value): Value {
  const gate = f.gelu(f.linear(x, 'mlp.gate_proj'));
  return f.linear(f.multiply(gate, f.linear(x, 'mlp.up_proj')), 'mlp.down_proj');
}

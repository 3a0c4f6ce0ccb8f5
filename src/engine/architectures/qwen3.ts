/** Qwen3 (arXiv 2505.09388): Llama with a norm over each head of q and k before the rotation. */
import type { Architecture } from './architecture.ts';
import { swiGlu } from './llama.ts';

export const qwen3: Architecture = {
  modelType: 'qwen3',
  activation: 'silu',
  block(f, x) {
    const h = f.rmsNorm(x, 'input_layernorm');
    const q = f.headRmsNorm(f.linear(h, 'self_attn.q_proj'), 'self_attn.q_norm');
    const k = f.headRmsNorm(f.linear(h, 'self_attn.k_proj'), 'self_attn.k_norm');
    const v = f.linear(h, 'self_attn.v_proj');
    const attended = f.attention({ q, k, v });
    const y = f.add(x, f.linear(attended, 'self_attn.o_proj'));
    return f.add(y, swiGlu(f, f.rmsNorm(y, 'post_attention_layernorm')));
  },
};

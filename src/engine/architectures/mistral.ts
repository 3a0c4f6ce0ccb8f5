/** Mistral (arXiv 2310.06825): Llama with attention limited to a sliding window. */
import type { Architecture } from './architecture.ts';
import { swiGlu } from './llama.ts';

export const mistral: Architecture = {
  modelType: 'mistral',
  activation: 'silu',
  block(f, x) {
    const h = f.rmsNorm(x, 'input_layernorm');
    const packed = f.linear(h, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
    const attended = f.attention({ packed }, { window: f.config.sliding_window ?? Infinity });
    const y = f.add(x, f.linear(attended, 'self_attn.o_proj'));
    return f.add(y, swiGlu(f, f.rmsNorm(y, 'post_attention_layernorm')));
  },
};

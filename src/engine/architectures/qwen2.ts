/** Qwen2 (arXiv 2407.10671): Llama with biases on the q, k and v projections. */
import type { Architecture } from './architecture.ts';
import { swiGlu } from './llama.ts';

export const qwen2: Architecture = {
  modelType: 'qwen2',
  activation: 'silu',
  block(f, x) {
    const h = f.rmsNorm(x, 'input_layernorm');
    const packed = f.linear(h, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'], {
      bias: true,
    });
    const attended = f.attention({ packed });
    const y = f.add(x, f.linear(attended, 'self_attn.o_proj'));
    return f.add(y, swiGlu(f, f.rmsNorm(y, 'post_attention_layernorm')));
  },
};

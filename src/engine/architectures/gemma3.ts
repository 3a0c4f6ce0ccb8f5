/**
 * Gemma 3 (arXiv 2503.19786): Gemma 2 with norms over each head of q and k instead of soft bounds. Each block
 * that attends to all positions follows five with a window, which have a rotary base of their own.
 */
import type { Architecture } from './architecture.ts';
import { feedForward, gemma2, keepsToWindow } from './gemma2.ts';

export const gemma3: Architecture = {
  ...gemma2,
  modelType: 'gemma3',
  block(f, x, block) {
    const h = f.rmsNorm(x, 'input_layernorm');
    const q = f.headRmsNorm(f.linear(h, 'self_attn.q_proj'), 'self_attn.q_norm');
    const k = f.headRmsNorm(f.linear(h, 'self_attn.k_proj'), 'self_attn.k_norm');
    const v = f.linear(h, 'self_attn.v_proj');
    const isLocal = keepsToWindow(f, block);
    const attended = f.attention(
      { q, k, v },
      isLocal ? { window: f.config.sliding_window ?? Infinity, rotary: 'local' } : {},
    );
    const joined = f.linear(attended, 'self_attn.o_proj');
    return feedForward(f, f.add(x, f.rmsNorm(joined, 'post_attention_layernorm')));
  },
};

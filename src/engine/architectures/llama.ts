/** Llama (arXiv 2302.13971): pre-norm, rotary attention with grouped queries, SwiGLU feed-forward. */
import type { Forward } from '../forward.ts';
import type { Value } from '../onnx/graph.ts';
import type { Architecture } from './architecture.ts';

export const llama: Architecture = {
  modelType: 'llama',
  layer(f, x) {
    const h = f.rmsNorm(x, 'input_layernorm');
    const packed = f.linear(h, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
    const attended = f.attention({ packed });
    const y = f.add(x, f.linear(attended, 'self_attn.o_proj'));
    return f.add(y, swiGlu(f, f.rmsNorm(y, 'post_attention_layernorm')));
  },
};

/** Feed-forward with a gate (arXiv 2002.05202): down(silu(gate(x)) * up(x)). */
export function swiGlu(f: Forward, x: Value): Value {
  const gate = f.silu(f.linear(x, 'mlp.gate_proj'));
  return f.linear(f.multiply(gate, f.linear(x, 'mlp.up_proj')), 'mlp.down_proj');
}

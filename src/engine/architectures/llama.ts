/** Llama (arXiv 2302.13971): pre-norm, rotary attention with grouped queries, SwiGLU feed-forward. */
import type { Forward } from '../forward.ts';
import type { Value } from '../onnx/graph.ts';
import type { Architecture } from './architecture.ts';

export const llama: Architecture = {
  modelType: 'llama',
  activation: 'silu',
  block(f, x) {
    const bias = f.config.attention_bias;
    const h = f.rmsNorm(x, 'input_layernorm');
    const qkv = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];
    const attended = f.attention({ packed: f.linear(h, qkv, { bias }) });
    const y = f.add(x, f.linear(attended, 'self_attn.o_proj', { bias }));
    return f.add(y, swiGlu(f, f.rmsNorm(y, 'post_attention_layernorm')));
  },
};

/** Feed-forward with a gate (arXiv 2002.05202): down(silu(gate(x)) * up(x)). */
export function swiGlu(f: Forward, x: Value): Value {
  const bias = f.config.mlp_bias ?? false;
  const gate = f.silu(f.linear(x, 'mlp.gate_proj', { bias }));
  const product = f.multiply(gate, f.linear(x, 'mlp.up_proj', { bias }));
  return f.linear(product, 'mlp.down_proj', { bias });
}

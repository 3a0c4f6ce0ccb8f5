/**
 * One transformer block, from hidden state to hidden state: attention, then feed-forward, each added to what
 * came in. `src/model/traits.ts` says what distinguishes the architectures.
 */
import { normNames } from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import { traitsOf, type Traits } from '../../model/traits.ts';
import { everywhere, type AttentionPattern } from '../attention.ts';
import type { Forward } from '../forward.ts';
import type { Value } from '../onnx/graph.ts';

/** @param block its number from 0, as in tensor names */
export function transformerBlock(f: Forward, x: Value, block: number): Value {
  const traits = traitsOf(f.config);
  const norms = normNames[traits.norms];
  const normed = (value: Value, name: string | null): Value =>
    name === null ? value : f.rmsNorm(value, name);
  const added = (sum: Value, half: Value, name: string): Value =>
    f.add(sum, multiplied(f, half, traits, name));

  const attended = attention(f, normed(x, norms.attention.before), block, traits);
  const y = added(x, normed(attended, norms.attention.after), 'self_attn');
  const passed = feedForward(f, normed(y, norms.feedForward.before), traits);
  return added(y, normed(passed, norms.feedForward.after), 'mlp');
}

function attention(f: Forward, h: Value, block: number, traits: Traits): Value {
  const { attention_bias: bias } = f.config;
  const inputBias = { bias: traits.attentionBias === 'always' || bias };
  const attended = f.attention(
    projections(f, h, traits, inputBias),
    attentionPattern(f.config, block, traits),
  );
  return f.linear(attended, 'self_attn.o_proj', { bias: traits.outputBias && bias });
}

/** Queries, keys and values: one product, unless queries and keys are normed. */
function projections(
  f: Forward,
  h: Value,
  { queryKeyNorm }: Traits,
  bias: { bias: boolean },
): Parameters<Forward['attention']>[0] {
  const [q, k, v] = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];
  switch (queryKeyNorm) {
    case 'none':
      return { packed: f.linear(h, [q, k, v], bias) };
    case 'each head':
      return {
        q: f.headRmsNorm(f.linear(h, q, bias), 'self_attn.q_norm'),
        k: f.headRmsNorm(f.linear(h, k, bias), 'self_attn.k_norm'),
        v: f.linear(h, v, bias),
      };
    case 'all heads':
      return {
        q: f.rmsNorm(f.linear(h, q, bias), 'self_attn.q_norm'),
        k: f.rmsNorm(f.linear(h, k, bias), 'self_attn.k_norm'),
        v: f.linear(h, v, bias),
      };
  }
}

/** Which positions a block attends to, and how it rotates queries and keys. */
export function attentionPattern(
  config: ModelConfig,
  block: number,
  traits: Traits,
): AttentionPattern {
  if (traits.mayOmitRotary && config.no_rope_layers?.[block] === 0)
    return { ...everywhere, rotary: 'none' };
  const hasWindow =
    traits.window === 'every block' ||
    (traits.window === 'by block' && config.layer_types?.[block] === 'sliding_attention');
  if (!hasWindow) return everywhere;
  return {
    window: config.sliding_window ?? Infinity,
    rotary: traits.hasLocalRotary ? 'local' : 'global',
  };
}

/** Feed-forward with a gate (arXiv 2002.05202): down(activation(gate(x)) * up(x)). */
function feedForward(f: Forward, h: Value, { activation }: Traits): Value {
  const bias = { bias: f.config.mlp_bias ?? false };
  const gate = f.linear(h, 'mlp.gate_proj', bias);
  const activated = activation === 'silu' ? f.silu(gate) : f.gelu(gate);
  const product = f.multiply(activated, f.linear(h, 'mlp.up_proj', bias));
  return f.linear(product, 'mlp.down_proj', bias);
}

function multiplied(f: Forward, half: Value, { hasMultipliers }: Traits, name: string): Value {
  const factor = hasMultipliers ? (f.config.residual_multiplier ?? 1) : 1;
  return factor === 1 ? half : f.scale(half, factor, `${name}.residual_multiplier`);
}

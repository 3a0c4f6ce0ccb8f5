/** Turns tensor names of GGUF files into Hugging Face names. */
import { normNames } from '../../model/architecture.ts';
import { traitsByType, type Architecture } from '../../model/traits.ts';

const outerNames: Partial<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

const innerNames: Partial<Record<string, string>> = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_qkv: 'self_attn.qkv_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** A norm is named after its place in GGUF, and differently from one architecture to another in Hugging Face. */
function normNameOf(inner: string, computesAs: Architecture): string | null {
  const { attention, feedForward } = normNames[traitsByType[computesAs].norms];
  switch (inner) {
    case 'attn_norm':
      return attention.before;
    case 'post_attention_norm':
      return attention.after;
    case 'ffn_norm':
      return feedForward.before;
    case 'post_ffw_norm':
      return feedForward.after;
    default:
      return null;
  }
}

/**
 * `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; undefined for an unknown name.
 *
 * @param gateInUp whether `ffn_up` holds the gate as well
 */
export function hubNameOf(
  ggufName: string,
  computesAs: Architecture,
  gateInUp: boolean,
): string | undefined {
  const outer = Object.hasOwn(outerNames, ggufName) ? outerNames[ggufName] : undefined;
  if (outer !== undefined) return outer;
  const match = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(ggufName);
  if (!match) return undefined;
  const [, block, name, kind] = match;
  const known = Object.hasOwn(innerNames, name) ? innerNames[name] : undefined;
  const inner =
    gateInUp && name === 'ffn_up' ? 'mlp.gate_up_proj' : (normNameOf(name, computesAs) ?? known);
  return inner === undefined ? undefined : `model.layers.${block}.${inner}.${kind}`;
}

/** Splits fused projections, as Phi-3 has them. Their rows follow one another in one tensor, so each is a range of it. */
import type { ModelConfig } from '../model/config.ts';
import type { StoredRange } from './hub/safetensors.ts';

/**
 * Replaces each `qkv_proj` by q, k and v, and each `gate_up_proj` by gate and up. Tensors have their Hugging
 * Face names.
 *
 * @throws Error that names a fused tensor whose rows are not those of its parts
 */
export function splitFused<T extends StoredRange>(
  tensors: Map<string, T>,
  config: ModelConfig,
): void {
  const queries = config.num_attention_heads * config.head_dim;
  const keys = config.num_key_value_heads * config.head_dim;
  const inner = config.intermediate_size;
  for (const [name, tensor] of [...tensors]) {
    const [, stem, fused, kind] = /^(.*\.)(qkv_proj|gate_up_proj)\.(weight|bias)$/.exec(name) ?? [];
    const parts: [string, number][] =
      fused === 'qkv_proj'
        ? [
            ['q_proj', queries],
            ['k_proj', keys],
            ['v_proj', keys],
          ]
        : fused === 'gate_up_proj'
          ? [
              ['gate_proj', inner],
              ['up_proj', inner],
            ]
          : [];
    if (parts.length === 0) continue;
    const [rows, ...columns] = tensor.shape;
    const expected = parts.reduce((sum, [, count]) => sum + count, 0);
    if (rows !== expected)
      throw new Error(`${name} has ${rows} rows, where its parts need ${expected}`);
    let first = 0;
    for (const [part, count] of parts) {
      tensors.set(`${stem}${part}.${kind}`, {
        ...tensor,
        shape: [count, ...columns],
        offset: tensor.offset + (first / rows) * tensor.bytes,
        bytes: (count / rows) * tensor.bytes,
      });
      first += count;
    }
    tensors.delete(name);
  }
}

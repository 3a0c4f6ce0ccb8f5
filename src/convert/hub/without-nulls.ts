/**
 * Takes the nulls out of a `config.json`. A field that is null counts as left out, as transformers'
 * configuration classes have it.
 */
import { isRecord } from '../../base/is-record.ts';

export type Fields = Record<string, unknown>;

/** Fields whose null says something: no window, no bound. Left out they have a value in some families. */
const meaningfulNulls = new Set([
  'sliding_window',
  'attn_logit_softcapping',
  'final_logit_softcapping',
]);

/** Fields whose null counts as false, though false is not the default of every family. */
const switches = new Set(['tie_word_embeddings', 'attention_bias', 'mlp_bias']);

/** Objects within objects that are read: the text part, its rotary settings, those of one kind of block. */
const deepest = 3;

/** Without nulls in the fields themselves, and in the objects among them as deep as they are read. */
export function withoutNulls(fields: Fields, depth = 0): Fields {
  const kept = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    if (isRecord(value) && depth < deepest) return [[name, withoutNulls(value, depth + 1)]];
    if (value !== null || meaningfulNulls.has(name)) return [[name, value]];
    return switches.has(name) ? [[name, false]] : [];
  });
  return Object.fromEntries(kept);
}

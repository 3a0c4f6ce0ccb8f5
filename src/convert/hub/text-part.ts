/**
 * Finds the language model in a model that also sees pictures: its part of `config.json`, and its tensors
 * under their prefix. Only families are listed whose text part computes as it would alone.
 */
import { isRecord } from '../../base/is-record.ts';
import { quantisationFields } from './foreign-quantisation.ts';
import type { Fields } from './without-nulls.ts';

/** By `model_type`; the type of the text part where it does not say. */
const textTypes: Partial<Record<string, string>> = {
  gemma3: 'gemma3_text',
  mistral3: 'mistral',
  llava: 'llama',
  llava_next: 'llama',
};

/**
 * The fields of the text part, completed by those that the whole model states for it; null for a model that is
 * nothing but text.
 *
 * @throws Error that names the model if its text part is missing
 */
export function textPartOf(fields: Fields): (Fields & { model_type: string }) | null {
  const { model_type: type, text_config: text } = fields;
  const textType =
    typeof type === 'string' && Object.hasOwn(textTypes, type) ? textTypes[type] : undefined;
  if (textType === undefined) return null;
  if (!isRecord(text))
    throw new Error(
      `this model is a "${String(type)}", an architecture around a language model, ` +
        'and its config.json has no text_config that describes it',
    );
  const { model_type: own } = text;
  const shared = ['tie_word_embeddings', 'bos_token_id', ...quantisationFields];
  return {
    ...Object.fromEntries(shared.flatMap((name) => (name in fields ? [[name, fields[name]]] : []))),
    ...text,
    // Generation stops at either's tokens.
    eos_token_id: [text['eos_token_id'] ?? [], fields['eos_token_id'] ?? []].flat(),
    model_type: typeof own === 'string' ? own : textType,
  };
}

const prefixes: [prefix: string, instead: string][] = [
  ['language_model.model.', 'model.'],
  ['language_model.lm_head.', 'lm_head.'],
  ['model.language_model.', 'model.'],
  ['lm_head.', 'lm_head.'],
];

/** The tensors of the text part under the names that it would have alone; all of them if it is alone. */
export function textTensors<T>(tensors: ReadonlyMap<string, T>): Map<string, T> {
  const isWrapped = ['language_model.model.', 'model.language_model.'].some((prefix) =>
    tensors.has(`${prefix}embed_tokens.weight`),
  );
  if (!isWrapped) return new Map(tensors);
  return new Map(
    [...tensors].flatMap(([name, tensor]): [string, T][] => {
      const found = prefixes.find(([prefix]) => name.startsWith(prefix));
      return found ? [[found[1] + name.slice(found[0].length), tensor]] : [];
    }),
  );
}

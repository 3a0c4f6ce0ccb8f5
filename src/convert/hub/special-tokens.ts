/** Reads which tokens a folder names `bos_token` and the like: `tokenizer_config.json`, `special_tokens_map.json`. */
import { isRecord } from '../../base/is-record.ts';
import { tokenNames } from '../../model/chat/template-tokens.ts';
import type { ManifestSpecialTokens } from '../../model/manifest.ts';

/**
 * What the first file says of a name counts; where it is silent, what the next one says. A token is a text or
 * `{ content }`; null means that there is none. Anything else counts as silence.
 *
 * @param files the parsed files, the most important first
 */
export function readSpecialTokens(files: readonly unknown[]): ManifestSpecialTokens {
  const tokens: ManifestSpecialTokens = {};
  const sources = files.filter(isRecord);
  for (const name of tokenNames) {
    const said = sources
      .map((file) => (file[name] === null ? null : spellingOf(file[name])))
      .find((value) => value !== undefined);
    if (said !== undefined) tokens[name] = said;
  }
  const lists = sources.map((file) => file['additional_special_tokens']);
  const list: unknown = lists.find((value) => Array.isArray(value));
  if (Array.isArray(list))
    tokens.additional_special_tokens = list.flatMap((token) => spellingOf(token) ?? []);
  return tokens;
}

/** Longer spellings are no tokens. */
const longest = 4096;

function spellingOf(value: unknown): string | undefined {
  const text = isRecord(value) ? value['content'] : value;
  return typeof text === 'string' && text.length <= longest ? text : undefined;
}

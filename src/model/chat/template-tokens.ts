/** What `bos_token` and its kin are in a chat template. */
import type { Manifest } from '../manifest.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

/** The names that templates know. Source: `SPECIAL_TOKENS_ATTRIBUTES` of transformers. */
export const tokenNames = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;

export type TokenName = (typeof tokenNames)[number];

/** What of a manifest decides it. */
export interface TokenNaming extends Pick<Manifest, 'specialTokens'> {
  config: { bos_token_id: number | null; eos_token_id: readonly number[] };
}

/**
 * Spellings by name, for the names that a template finds. The files' own words come first; where they are
 * silent, `bos_token` and `eos_token` are what the configuration's ids are spelt. A name that the files set to
 * null is not there, as in transformers.
 */
export function templateTokens(
  { specialTokens, config }: TokenNaming,
  tokenizer: Pick<Tokenizer, 'idToToken'>,
): Record<string, string | string[]> {
  const tokens: Record<string, string | string[]> = {};
  const byConfig: Partial<Record<TokenName, number | null | undefined>> = {
    bos_token: config.bos_token_id,
    eos_token: config.eos_token_id.at(0),
  };
  for (const name of tokenNames) {
    const said = specialTokens?.[name];
    const id = byConfig[name] ?? null;
    const spelling = said === undefined && id !== null ? tokenizer.idToToken(id) : said;
    if (spelling !== undefined && spelling !== null) tokens[name] = spelling;
  }
  const { additional_special_tokens: additional } = specialTokens ?? {};
  if (additional) tokens['additional_special_tokens'] = additional;
  return tokens;
}

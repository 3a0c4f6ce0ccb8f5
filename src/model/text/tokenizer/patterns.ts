/** Search patterns of a `tokenizer.json`, made into JavaScript's. */
import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { escapeRegExp } from '../../../base/escape-reg-exp.ts';
import { portablePattern } from './oniguruma.ts';

/** As a `tokenizer.json` writes it. */
export type PatternSource = { String: string } | { Regex: string };

/**
 * @returns a pattern with the flags g and u
 * @throws Error that names the part that JavaScript cannot express
 */
export function compilePattern(source: PatternSource): RegExp {
  if ('String' in source) return new RegExp(escapeRegExp(source.String), 'gu');
  const Regex = portablePattern(source.Regex);
  const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false } as const;
  const { pattern } = new SplitPreTokenizer(split);
  if (!pattern) throw new Error(`the search pattern ${source.Regex} cannot be read`);
  return new RegExp(withAnchors(pattern.source), 'gu');
}

/**
 * The library writes both ends of a text as "no letter before" and "no letter behind", which also holds between
 * the halves of a surrogate pair.
 */
function withAnchors(source: string): string {
  return source.replaceAll('(?<![\\s\\S])', '^').replaceAll('(?![\\s\\S])', '$');
}

/** Text that `replaceAll` puts in as it is; `$` would else name a part of the match. */
export function literalReplacement(text: string): string {
  return text.replaceAll('$', '$$$$');
}

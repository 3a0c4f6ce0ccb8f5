/**
 * Builds a Hugging Face `tokenizer.json`, as for GPT-2 or Llama 3, from a byte-level vocabulary: pieces spelt
 * in the letters that stand for bytes, and the merges that lead to them.
 */
import { startWith } from './sentencepiece.ts';
import { cuttingRules } from './cutting-rules.ts';
import type { NamedPreTokenizer } from './pre-tokenizer-names.ts';

export interface ByteLevelVocabulary {
  /** In the order of their ids. */
  tokens: readonly string[];
  /** Pairs of tokens, most urgent first. */
  merges: readonly (readonly [string, string])[];
  /** Entries of `added_tokens`. */
  added: readonly { id: number }[];
  bosId: number | null;
}

export function byteLevelTokenizer(
  { tokens, merges, added, bosId }: ByteLevelVocabulary,
  { rule, ignoresMerges, normalization }: NamedPreTokenizer,
): Record<string, unknown> {
  // An added token is matched before anything else; as a piece of text it is no token.
  const addedIds = new Set(added.map(({ id }) => id));
  const vocab = tokens.flatMap((text, id) => (addedIds.has(id) ? [] : [[text, id] as const]));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: normalization === null ? null : { type: normalization },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [...cuttingRules[rule].map(split), bytes()],
    },
    post_processor: bosId === null ? bytes() : startWith(tokens[bosId], bosId),
    decoder: bytes(),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoresMerges,
      vocab: Object.fromEntries(vocab),
      merges,
    },
  };
}

/** GPT-2's byte-to-letter table, without its rule for words. */
function bytes(): Record<string, unknown> {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
}

function split(regex: string): Record<string, unknown> {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
}

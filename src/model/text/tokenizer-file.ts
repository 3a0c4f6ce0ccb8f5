/**
 * Checks a Hugging Face `tokenizer.json` before it is read. The library that reads it does not check its
 * parts: a broken file would cause an error of the language itself, perhaps in the middle of an answer.
 */
import { errorMessage } from '../../base/error-message.ts';
import * as v from 'valibot';
import { StepSchema } from './tokenizer/steps.ts';

/** Several times the largest known vocabulary. */
const mostTokens = 1 << 22;
/** Several times the longest list, and the longest spelling, of published files. */
const mostAddedTokens = 1 << 17;
const longestAddedToken = 4096;

const tokenId = v.custom<number>(
  isTokenId,
  `expected a whole number below ${mostTokens} as a token's id`,
);

const AddedTokenSchema = v.pipe(
  v.looseObject({
    id: tokenId,
    content: v.pipe(v.string(), v.maxLength(longestAddedToken)),
    special: v.boolean(),
    /** Whether it counts only where no letter stands beside it. */
    single_word: v.optional(v.boolean(), false),
    /** Whether the token includes the white space before it, and after it. */
    lstrip: v.optional(v.boolean(), false),
    rstrip: v.optional(v.boolean(), false),
    /** Whether it is looked for in the text that the normalizer changed. */
    normalized: v.optional(v.boolean()),
  }),
  v.transform((token) => ({ ...token, normalized: token.normalized ?? !token.special })),
);

export type AddedToken = v.InferOutput<typeof AddedTokenSchema>;

// v.record would drop the keys "prototype" and "constructor", which are words of real vocabularies.
const vocab = v.custom<object>(isVocab, 'expected a vocabulary: tokens and their ids or scores');

const merges = v.custom<object>(isMerges, 'expected pairs of tokens to merge');

const TokenizerFileSchema = v.looseObject({
  added_tokens: v.pipe(v.array(AddedTokenSchema), v.maxLength(mostAddedTokens)),
  normalizer: v.nullish(StepSchema, null),
  pre_tokenizer: v.nullish(StepSchema, null),
  post_processor: v.nullish(StepSchema, null),
  decoder: v.nullish(StepSchema, null),
  model: v.looseObject({
    type: v.optional(v.string()),
    vocab,
    merges: v.optional(merges),
    /** Of Unigram: the index of the token for unknown letters. */
    unk_id: v.nullish(tokenId),
    byte_fallback: v.nullish(v.boolean()),
  }),
});

export type TokenizerFile = v.InferOutput<typeof TokenizerFileSchema>;

/**
 * @param json the parsed `tokenizer.json`
 * @throws Error with one sentence that names the place at fault
 */
export function parseTokenizerFile(json: unknown): TokenizerFile {
  const checked = v.safeParse(TokenizerFileSchema, json, { abortEarly: true });
  if (checked.success) return withModelIds(checked.output);
  const place = v.getDotPath(checked.issues[0]) ?? 'its top level';
  throw new Error(`tokenizer.json is broken: at ${place}, ${checked.issues[0].message}`);
}

/** Where the model has an added token too, the library in Rust takes the model's id. */
function withModelIds(file: TokenizerFile): TokenizerFile {
  const { vocab } = file.model;
  const list = Array.isArray(vocab) ? (vocab as [string, number][]) : [];
  const ids = new Map(list.map(([token], id) => [token, id]));
  const idOf = (token: string): number | undefined =>
    Array.isArray(vocab)
      ? ids.get(token)
      : (Object.getOwnPropertyDescriptor(vocab, token)?.value as number | undefined);
  const added_tokens = file.added_tokens.map((token) => ({
    ...token,
    id: idOf(token.content) ?? token.id,
  }));
  return { ...file, added_tokens };
}

/**
 * Parses the text of a `tokenizer.json`. Throws one sentence if it is not JSON, such as when a server sends a
 * page instead.
 */
export function parseTokenizerText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = errorMessage(error);
    throw new Error(`tokenizer.json is not complete JSON (${reason}): fetch the model again`, {
      cause: error,
    });
  }
}

function isTokenId(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < mostTokens;
}

/** Ids by token; or, for Unigram, a list of tokens with their scores. */
function isVocab(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!Array.isArray(value)) return Object.values(value).every(isTokenId);
  return value.every(
    (entry: unknown) =>
      Array.isArray(entry) && typeof entry[0] === 'string' && Number.isFinite(entry[1]),
  );
}

/** Either all `"h e"`, or all `["h", "e"]`. */
function isMerges(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const isPair = (merge: unknown): boolean =>
    Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string');
  const isLine = (merge: unknown): boolean => typeof merge === 'string' && merge.includes(' ');
  return value.every(isLine) || value.every(isPair);
}

/**
 * Checks a Hugging Face `tokenizer.json` before it is read. The library that reads it does not check its
 * parts: a broken file would cause an error of the language itself, perhaps in the middle of an answer.
 */
import { errorMessage } from '../../base/error-message.ts';
import * as v from 'valibot';

/** Several times the largest known vocabulary. */
const mostTokens = 1 << 22;

const tokenId = v.custom<number>(
  isTokenId,
  `expected a whole number below ${mostTokens} as a token's id`,
);

const AddedTokenSchema = v.looseObject({
  id: tokenId,
  content: v.string(),
  special: v.boolean(),
  /** Whether the token includes the spaces before it, and after it. */
  lstrip: v.optional(v.boolean(), false),
  rstrip: v.optional(v.boolean(), false),
});

export type AddedToken = v.InferOutput<typeof AddedTokenSchema>;

// v.record would drop the keys "prototype" and "constructor", which are words of real vocabularies.
const vocab = v.custom<object>(isVocab, 'expected a vocabulary: tokens and their ids or scores');

const merges = v.custom<object>(isMerges, 'expected pairs of tokens to merge');

const stepFields = {
  type: v.string(),
  pattern: v.optional(
    v.union(
      [v.object({ String: v.string() }), v.object({ Regex: v.string() })],
      'expected a pattern: { "String": … } or { "Regex": … }',
    ),
  ),
};
const steps = v.optional(v.array(v.looseObject(stepFields)));

/** A step of encoding or decoding, or a sequence of steps. */
const sequence = v.nullish(
  v.looseObject({
    ...stepFields,
    normalizers: steps,
    pretokenizers: steps,
    processors: steps,
    decoders: steps,
  }),
  null,
);

const TokenizerFileSchema = v.looseObject({
  added_tokens: v.array(AddedTokenSchema),
  normalizer: sequence,
  pre_tokenizer: sequence,
  post_processor: sequence,
  decoder: sequence,
  model: v.looseObject({ type: v.optional(v.string()), vocab, merges: v.optional(merges) }),
});

export type TokenizerFile = v.InferOutput<typeof TokenizerFileSchema>;

/**
 * @param json the parsed `tokenizer.json`
 * @throws Error with one sentence that names the place at fault
 */
export function parseTokenizerFile(json: unknown): TokenizerFile {
  const checked = v.safeParse(TokenizerFileSchema, json, { abortEarly: true });
  if (checked.success) return checked.output;
  const place = v.getDotPath(checked.issues[0]) ?? 'its top level';
  throw new Error(`tokenizer.json is broken: at ${place}, ${checked.issues[0].message}`);
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

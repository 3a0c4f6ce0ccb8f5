/**
 * Builds a `tokenizer.json` from the files that a folder has instead: SentencePiece's `tokenizer.model`, and
 * the words that `added_tokens.json` and `tokenizer_config.json` add to it.
 *
 * Source: transformers' `tokenization_utils_base.py` (which file wins), `convert_slow_tokenizer.py`.
 */
import * as v from 'valibot';
import { addedToken, type AddedTokenEntry } from './added-token.ts';
import { sentencePieceTokenizer } from './sentencepiece.ts';
import { readTokenizerModel, type SentencePieceModel } from './tokenizer-model.ts';

export interface SentencePieceFolder {
  /** The contents of `tokenizer.model`. */
  model: Uint8Array;
  /** The parsed `added_tokens.json`; undefined where there is none. */
  addedTokens?: unknown;
  /** The parsed `tokenizer_config.json`; undefined where there is none. */
  config?: unknown;
}

/** @throws Error with one sentence that names the file and the place at fault */
export function sentencePieceFolderTokenizer(folder: SentencePieceFolder): Record<string, unknown> {
  const model = readTokenizerModel(folder.model);
  const config = checked(ConfigSchema, folder.config ?? {}, 'tokenizer_config.json');
  const words = checked(AddedTokensSchema, folder.addedTokens ?? {}, 'added_tokens.json');
  const added = wordsOf(model, config, words);
  return sentencePieceTokenizer(model.pieces, {
    bosId: (config.add_bos_token ?? true) ? bosOf(model, added, config) : null,
    prefixSpace: prefixOf(model, config),
    dropsExtraSpaces: model.dropsExtraSpaces,
    model: model.kind,
    byteFallback: model.byteFallback,
    added,
  });
}

const mostIds = 1 << 22;
const tokenId = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(mostIds));

const AddedTokensSchema = v.record(v.string(), tokenId);

/** A token's spelling, alone or as a record. */
const spelling = v.nullish(v.union([v.string(), v.looseObject({ content: v.string() })]));

const ConfigSchema = v.looseObject({
  add_bos_token: v.nullish(v.boolean()),
  add_prefix_space: v.nullish(v.boolean()),
  legacy: v.nullish(v.boolean()),
  bos_token: spelling,
  eos_token: spelling,
  unk_token: spelling,
  pad_token: spelling,
  additional_special_tokens: v.nullish(v.array(v.nonNullish(spelling))),
  added_tokens_decoder: v.nullish(
    v.record(
      v.pipe(v.string(), v.regex(/^\d{1,7}$/)),
      v.looseObject({
        content: v.string(),
        special: v.optional(v.boolean(), false),
        single_word: v.optional(v.boolean(), false),
        lstrip: v.optional(v.boolean(), false),
        rstrip: v.optional(v.boolean(), false),
        normalized: v.optional(v.boolean(), false),
      }),
    ),
  ),
});

type Config = v.InferOutput<typeof ConfigSchema>;

function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  json: unknown,
  path: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const place = v.getDotPath(result.issues[0]) ?? 'its top level';
  throw new Error(`${path} is not a tokenizer's: at ${place}, ${result.issues[0].message}`);
}

/** The words of `added_tokens_decoder` win over those of `added_tokens.json`. */
function wordsOf(
  { pieces }: SentencePieceModel,
  config: Config,
  addedTokens: Record<string, number>,
): AddedTokenEntry[] {
  const special = new Set(
    [
      config.bos_token,
      config.eos_token,
      config.unk_token,
      config.pad_token,
      ...(config.additional_special_tokens ?? []),
    ].map(textOf),
  );
  const words = new Map<number, AddedTokenEntry>();
  for (const [content, id] of Object.entries(addedTokens))
    if (content !== '') words.set(id, addedToken(id, content, special.has(content)));
  for (const [key, word] of Object.entries(config.added_tokens_decoder ?? {})) {
    const { content, single_word, lstrip, rstrip, normalized } = word;
    const flags = { single_word, lstrip, rstrip, normalized };
    const id = Number(key);
    if (content !== '') words.set(id, addedToken(id, content, word.special, flags));
  }
  // A piece of the model is looked for as the model says, unless the configuration changes its spelling.
  for (const [id, word] of words) {
    const piece = id < pieces.length ? pieces[id] : undefined;
    if (piece?.kind === 'added' && piece.text === word.content)
      words.set(id, { ...word, normalized: piece.flags?.normalized ?? false });
  }
  return [...words.values()];
}

function textOf(token: v.InferOutput<typeof spelling>): string | undefined {
  return typeof token === 'string' ? token : token?.content;
}

function bosOf(
  { pieces, bosId }: SentencePieceModel,
  added: readonly AddedTokenEntry[],
  config: Config,
): number | null {
  const named = textOf(config.bos_token);
  if (named === undefined) return bosId;
  const word = added.find(({ content }) => content === named);
  if (word) return word.id;
  const piece = pieces.findIndex(({ text }) => text === named);
  return piece < 0 ? bosId : piece;
}

function prefixOf(
  { hasPrefixSpace }: SentencePieceModel,
  { legacy, add_prefix_space }: Config,
): 'each section' | 'text start' | 'never' {
  if (!hasPrefixSpace || add_prefix_space === false) return 'never';
  return legacy === false ? 'text start' : 'each section';
}

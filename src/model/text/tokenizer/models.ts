/** The model of a `tokenizer.json`, which makes ids of pieces of text. */
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import type { TokenizerFile } from '../tokenizer-file.ts';
import { createUnigram } from './unigram.ts';

export interface Model {
  encodePieces: (pieces: string[]) => number[];
  /** Spellings by id, and ids by spelling, of the model and of added tokens. */
  spellings: Lookup<number, string>;
  ids: Lookup<string, number>;
  /** The tokens that the post-processor puts before a text: usually one, or none. */
  prefix: number[];
}

export interface Lookup<Key, Value> {
  get(key: Key): Value | undefined;
}

/**
 * @param marks spellings that no text is cut into; elsewhere the model itself knows nothing of added tokens
 * @throws Error that names what the library cannot build
 */
export function modelOf(document: TokenizerFile, marks: readonly string[]): Model {
  const { vocab } = document.model;
  const model = Array.isArray(vocab)
    ? unigramOf(document, vocab as [string, number][], marks)
    : libraryModel(document, marks);
  const spellings = new Map(document.added_tokens.map(({ id, content }) => [id, content]));
  const ids = new Map(document.added_tokens.map(({ id, content }) => [content, id]));
  const lookup = {
    spellings: { get: (id: number) => spellings.get(id) ?? model.spellings.get(id) },
    ids: { get: (token: string) => ids.get(token) ?? model.ids.get(token) },
  };
  return { ...model, ...lookup, prefix: prefixOf(document, lookup.ids) };
}

type ModelAlone = Omit<Model, 'prefix'>;

function libraryModel({ model: description }: TokenizerFile, marks: readonly string[]): ModelAlone {
  const { model } = libraryWith({ model: description });
  if (!model) throw new Error('it has no model');
  const { tokens_to_ids: ids, vocab } = model;
  for (const mark of marks) ids.delete(mark);
  return {
    encodePieces: (pieces) =>
      model(pieces).flatMap((token) => ids.get(token) ?? model.unk_token_id ?? []),
    spellings: { get: (id) => vocab[id] },
    ids,
  };
}

function unigramOf(
  { model }: TokenizerFile,
  vocab: [string, number][],
  marks: readonly string[],
): ModelAlone {
  const unknownId = model.unk_id ?? null;
  if (unknownId !== null && unknownId >= vocab.length)
    throw new Error(`its unknown token has the id ${unknownId}, and it has ${vocab.length} tokens`);
  const encode = createUnigram({
    vocab,
    unknownId,
    byteFallback: model.byte_fallback === true,
    excluded: new Set(marks),
  });
  return {
    encodePieces: (pieces) => pieces.flatMap(encode),
    spellings: { get: (id) => vocab.at(id)?.[0] },
    ids: new Map(vocab.map(([token], id) => [token, id])),
  };
}

function prefixOf({ post_processor }: TokenizerFile, ids: Model['ids']): number[] {
  if (post_processor === null) return [];
  const library = libraryWith({ post_processor });
  // No token is spelt with a lone surrogate, so this finds the text again.
  const text = '\uD800';
  const { tokens } = library.post_processor?.post_process([text], null, true) ?? { tokens: [] };
  return tokens
    .slice(0, Math.max(0, tokens.indexOf(text)))
    .flatMap((token) => ids.get(token) ?? []);
}

/** The library's tokenizer with one part of the file. */
export function libraryWith(part: Record<string, unknown>): HubTokenizer {
  return new HubTokenizer(
    {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: { type: 'BPE', vocab: {}, merges: [] },
      ...part,
    },
    {},
  );
}

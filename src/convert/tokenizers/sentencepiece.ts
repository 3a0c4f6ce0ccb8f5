/**
 * Builds a Hugging Face `tokenizer.json`, as for Llama 2, from a SentencePiece vocabulary: pieces with
 * scores, spaces written as ▁, unknown characters as bytes.
 */
import { escapeRegExp } from '../../base/escape-reg-exp.ts';
import { addedToken, type AddedTokenEntry, type AddedTokenFlags } from './added-token.ts';

export interface SentencePiece {
  text: string;
  /** Merges into pieces of higher scores come first. */
  score: number;
  /**
   * `byte` pieces are written `<0xNN>`; `control` pieces stand for no text; `added` pieces are whole words
   * that are matched before any merging; `unused` pieces never come out.
   */
  kind: 'normal' | 'byte' | 'control' | 'unknown' | 'added' | 'unused';
  /** Of a piece that is matched before any merging. */
  flags?: AddedTokenFlags;
}

export interface SentencePieceOptions {
  bosId: number | null;
  /**
   * Encoding prepends a space, which decoding removes: to every section between control tokens (as llama.cpp
   * does), only to one that opens the text and has none (as transformers does unless `legacy`), or never.
   */
  prefixSpace: 'each section' | 'text start' | 'never';
  /** Spaces at both ends are dropped, and several become one. */
  dropsExtraSpaces?: boolean;
  /** The model merges pairs, or finds the likeliest pieces. */
  model?: 'BPE' | 'Unigram';
  /** Characters outside the vocabulary are spelt in bytes, if it has pieces for bytes. */
  byteFallback?: boolean;
  /** More words that are matched before any merging; they replace pieces of the same id. */
  added?: readonly AddedTokenEntry[];
}

/** @param pieces in the order of their ids */
export function sentencePieceTokenizer(
  pieces: readonly SentencePiece[],
  options: SentencePieceOptions,
): Record<string, unknown> {
  const { bosId, prefixSpace, dropsExtraSpaces = false, added = [] } = options;
  const words = addedWords(pieces, added);
  const bos = bosId === null ? undefined : words.find(({ id }) => id === bosId);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: words,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(dropsExtraSpaces ? extraSpaces.map(replace) : []),
        ...(prefixSpace === 'each section' ? [prepend(words)] : []),
        replace([{ String: ' ' }, '▁']),
      ],
    },
    pre_tokenizer:
      prefixSpace === 'text start'
        ? { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false }
        : null,
    post_processor: bos ? startWith(bos.content, bos.id) : null,
    decoder: {
      type: 'Sequence',
      decoders: [
        replace([{ String: '▁' }, ' ']),
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixSpace === 'never' ? [] : [{ type: 'Strip', content: ' ', start: 1, stop: 0 }]),
      ],
    },
    model: options.model === 'Unigram' ? unigram(pieces, options) : pairs(pieces, options),
  };
}

/**
 * Words that are looked for in the normalized text are themselves normalized, and must not get the space then:
 * a text has it once, before its first word or letter.
 */
function prepend(words: readonly AddedTokenEntry[]): Record<string, unknown> {
  const normalized = words.filter((word) => word.normalized).map(({ content }) => content);
  if (normalized.length === 0) return { type: 'Prepend', prepend: '▁' };
  const anyWord = normalized.map(escapeRegExp).join('|');
  return replace([{ Regex: `\\A(?!(?:${anyWord})\\z)(?=[\\s\\S])` }, '▁']);
}

type Replacement = [pattern: { String: string } | { Regex: string }, content: string];

/** Source: `remove_extra_whitespaces` in SentencePiece's `normalizer.cc`. */
const extraSpaces: Replacement[] = [
  [{ Regex: '\\A +' }, ''],
  // The lookbehind lets a search begin only where a run of spaces begins.
  [{ Regex: '(?<! ) +\\z' }, ''],
  [{ Regex: ' {2,}' }, ' '],
];

function replace([pattern, content]: Replacement): Record<string, unknown> {
  return { type: 'Replace', pattern, content };
}

function addedWords(
  pieces: readonly SentencePiece[],
  more: readonly AddedTokenEntry[],
): AddedTokenEntry[] {
  const words = new Map<number, AddedTokenEntry>();
  for (const [id, { text, kind, flags }] of pieces.entries())
    if (kind === 'control' || kind === 'unknown' || kind === 'added')
      words.set(id, addedToken(id, text, kind !== 'added', flags));
  for (const word of more) words.set(word.id, word);
  return [...words.values()].sort((a, b) => a.id - b.id);
}

function pairs(
  pieces: readonly SentencePiece[],
  { byteFallback = true }: SentencePieceOptions,
): Record<string, unknown> {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: pieces.find(({ kind }) => kind === 'unknown')?.text ?? null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: byteFallback,
    ignore_merges: false,
    vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
    merges: mergesOf(pieces),
  };
}

function unigram(
  pieces: readonly SentencePiece[],
  { byteFallback = true }: SentencePieceOptions,
): Record<string, unknown> {
  const unknown = pieces.findIndex(({ kind }) => kind === 'unknown');
  return {
    type: 'Unigram',
    unk_id: unknown < 0 ? null : unknown,
    byte_fallback: byteFallback,
    vocab: pieces.map(({ text, score }) => [text, score]),
  };
}

/** A post-processor that puts one token before every text. */
export function startWith(token: string, id: number): Record<string, unknown> {
  const first = { SpecialToken: { id: token, type_id: 0 } };
  const text = { Sequence: { id: 'A', type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: [first, text],
    pair: [
      first,
      text,
      { SpecialToken: { id: token, type_id: 1 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

/**
 * Every way to merge two pieces into a third, best score first. Of the ways to one piece, the longest left
 * part comes first. This is the order of Hugging Face's own conversion.
 */
function mergesOf(pieces: readonly SentencePiece[]): [string, string][] {
  const mergeable = new Set(pieces.filter(({ kind }) => kind === 'normal').map(({ text }) => text));
  const merges: { left: string; right: string; score: number }[] = [];
  for (const { text, score, kind } of pieces) {
    if (kind !== 'normal') continue;
    const characters = Array.from(text);
    for (let cut = 1; cut < characters.length; cut++) {
      const left = characters.slice(0, cut).join('');
      const right = characters.slice(cut).join('');
      if (mergeable.has(left) && mergeable.has(right)) merges.push({ left, right, score });
    }
  }
  merges.sort(
    (a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length,
  );
  return merges.map(({ left, right }) => [left, right]);
}

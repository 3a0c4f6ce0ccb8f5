/** Converts text to token ids and back, from a Hugging Face `tokenizer.json`. */
import { wellFormed } from '../../base/well-formed.ts';
import { parserFault } from './parser-fault.ts';
import { parseTokenizerFile, type AddedToken, type TokenizerFile } from './tokenizer-file.ts';
import { createSectionFinder, type AddedWord, type MarkRule } from './tokenizer/added-tokens.ts';
import { decoderOf, type Decoder } from './tokenizer/decoders.ts';
import { modelOf, type Model } from './tokenizer/models.ts';
import { normalizerOf, type Normalizer } from './tokenizer/normalizers.ts';
import { preTokenizerOf, type PreTokenizer } from './tokenizer/pre-tokenizers.ts';
import { createStreamDecoder, type StreamDecoder } from './tokenizer/stream-decoder.ts';

export type { StreamDecoder } from './tokenizer/stream-decoder.ts';

export interface EncodeOptions {
  /** Begin with the token that begins every text, if the tokenizer has one. */
  bos: boolean;
  /**
   * Read the control marks as the tokens that they name, in text that a chat template wrote. Otherwise they
   * are plain letters, so nobody can forge a turn by typing one. Other added tokens are tokens everywhere.
   */
  special?: boolean;
  /**
   * With `special`: a character that is removed from the text. A control mark with it inside is plain letters,
   * which marks what a person wrote inside a template.
   */
  mask?: string;
}

/** A whole word that is looked for in a text before anything else. */
export interface TokenizerWord {
  id: number;
  content: string;
  /** Has no text when decoded, as the file says. */
  special: boolean;
}

export interface Tokenizer {
  /**
   * Lone surrogates of the text count as U+FFFD. The ids are those of the tokenizers library (Rust) for a file
   * whose `added_tokens` lack the control marks wherever those are letters.
   */
  encode(text: string, options: EncodeOptions): number[];
  /** Special tokens, and ids without a token, have no text. */
  decode(ids: readonly number[]): string;
  /**
   * Decodes a sequence while it grows.
   *
   * @param before the ids before it, such as the prompt's. The text then continues theirs, with its first
   *   space. Without them the sequence is a text of its own.
   */
  streamDecoder(before?: readonly number[]): StreamDecoder;
  /** The file's added tokens, special or not, in its order. */
  readonly addedTokens: readonly TokenizerWord[];
  /** Spellings of the tokens without text. */
  readonly specialTokens: readonly string[];
  /**
   * Spellings that are tokens only in what a template wrote: those of special tokens, and those given to
   * `loadTokenizer`. In a person's text they are letters.
   */
  readonly controlMarks: readonly string[];
  /** The token's own spelling, such as `▁the` or `</s>`. */
  idToToken(id: number): string | undefined;
  tokenToId(token: string): number | undefined;
}

export interface TokenizerOptions {
  /**
   * Spellings, among the file's added tokens, that a person must not write though the file does not call them
   * special, such as those that the model's chat template writes. Others count for nothing.
   */
  controlMarks?: (added: readonly TokenizerWord[]) => readonly string[];
}

/**
 * @param json the parsed `tokenizer.json`
 * @throws Error if it is not one, or of a kind that cannot be read
 */
export function loadTokenizer(json: unknown, options: TokenizerOptions = {}): Tokenizer {
  const document = parseTokenizerFile(json);
  const parts = construct(document, new Set(options.controlMarks?.(document.added_tokens)));
  const { spellings, ids, added } = parts;

  const decode = (tokens: readonly number[]): string => {
    const known = tokens.flatMap((id) => (parts.textless.has(id) ? [] : (spellings.get(id) ?? [])));
    return known.length === 0 ? '' : parts.decoder(known).join('');
  };

  return {
    encode: (text, { bos, special = false, mask = '' }) => {
      const { plain, masks } = withoutMask(wellFormed(text), mask);
      const encoded = encodeText(parts, plain, special ? unmasked(masks) : nowhere);
      return bos ? [...parts.prefix, ...encoded] : encoded;
    },
    decode,
    streamDecoder: (before = []) => createStreamDecoder(decode, before),
    addedTokens: added.map(({ id, content, special }) => ({ id, content, special })),
    specialTokens: added.flatMap(({ special, content }) => (special ? [content] : [])),
    controlMarks: parts.marks,
    idToToken: (id) => spellings.get(id),
    tokenToId: (token) => ids.get(token),
  };
}

interface Parts extends Model {
  added: readonly AddedToken[];
  marks: readonly string[];
  /** Finds the added tokens that are looked for in the text as it came. */
  findWords: ReturnType<typeof createSectionFinder>;
  /** Finds those that are looked for after normalizing. */
  findNormalized: ReturnType<typeof createSectionFinder>;
  normalize: Normalizer;
  preTokenize: PreTokenizer;
  decoder: Decoder;
  /** Ids of special tokens. */
  textless: ReadonlySet<number>;
}

/** Also encodes and decodes a text, because some missing parts show only in use. */
function construct(document: TokenizerFile, controlMarks: ReadonlySet<string>): Parts {
  try {
    const parts = partsOf(document, controlMarks);
    const sample = encodeText(parts, 'Try it: 1 é\n', nowhere);
    parts.decoder(sample.map((id) => parts.spellings.get(id) ?? ''));
    return parts;
  } catch (error) {
    throw new Error(
      `this tokenizer.json is of a kind that cannot be read here: ${parserFault(error)}`,
      { cause: error },
    );
  }
}

function partsOf(document: TokenizerFile, controlMarks: ReadonlySet<string>): Parts {
  const added = document.added_tokens;
  const isMark = ({ special, content }: AddedToken): boolean =>
    special || controlMarks.has(content);
  const normalize = normalizerOf(document.normalizer);
  // A mark is looked for in what the template wrote, even one that the file would normalize: there it would
  // need the prefix that a normalizer puts before texts, which no template writes.
  const early = added.filter((token) => isMark(token) || !token.normalized);
  const late = added.filter((token) => !isMark(token) && token.normalized);
  const marks = [...new Set(added.filter(isMark).map(({ content }) => content))];
  return {
    ...modelOf(document, marks),
    added,
    marks,
    findWords: createSectionFinder(early.map((token) => wordOf(token, isMark(token)))),
    findNormalized: createSectionFinder(
      late.map((token) => ({ ...wordOf(token, false), content: normalize(token.content) })),
    ),
    normalize,
    preTokenize: preTokenizerOf(document.pre_tokenizer),
    decoder: decoderOf(document.decoder, new Set(added.map(({ content }) => content))),
    textless: new Set(added.flatMap(({ id, special }) => (special ? [id] : []))),
  };
}

function wordOf(token: AddedToken, isMark: boolean): AddedWord {
  return {
    id: token.id,
    content: wellFormed(token.content),
    isSingleWord: token.single_word,
    stripsLeft: token.lstrip,
    stripsRight: token.rstrip,
    isMark,
  };
}

function encodeText(parts: Parts, text: string, allowsMark: MarkRule): number[] {
  return parts.findWords(text, allowsMark).flatMap((section) => {
    if (section.kind === 'token') return [section.id];
    const normalized = parts.normalize(section.text);
    return parts.findNormalized(normalized, nowhere).flatMap((part) => {
      if (part.kind === 'token') return [part.id];
      const opensText = section.start === 0 && part.start === 0;
      return parts.encodePieces(parts.preTokenize(part.text, opensText));
    });
  });
}

/** @returns the text without the mask, and the indices in it where a mask was */
function withoutMask(text: string, mask: string): { plain: string; masks: ReadonlySet<number> } {
  const masks = new Set<number>();
  if (mask === '' || !text.includes(mask)) return { plain: text, masks };
  const parts = text.split(mask);
  let at = 0;
  for (const part of parts.slice(0, -1)) masks.add((at += part.length));
  return { plain: parts.join(''), masks };
}

const nowhere: MarkRule = () => false;

function unmasked(masks: ReadonlySet<number>): MarkRule {
  if (masks.size === 0) return () => true;
  return (start, end) => {
    for (let at = start + 1; at < end; at++) if (masks.has(at)) return false;
    return true;
  };
}

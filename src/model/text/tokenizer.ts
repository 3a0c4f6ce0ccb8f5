/** Converts text to token ids and back, from a Hugging Face `tokenizer.json`. */
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import { parserFault } from './parser-fault.ts';
import { parseTokenizerFile, type AddedToken, type TokenizerFile } from './tokenizer-file.ts';

export interface EncodeOptions {
  /** Begin with the token that begins every text, if the tokenizer has one. */
  bos: boolean;
  /**
   * Read `<s>`, `<|im_end|>` and the like as the tokens that they name, in text that a chat template wrote.
   * Otherwise they are plain letters, so nobody can forge a turn by typing one.
   */
  special?: boolean;
  /**
   * With `special`: a character that is removed from the text. Inside the spelling of a special token it
   * makes that plain letters, which marks what a person wrote inside a template.
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

export interface TokenizerOptions {
  /**
   * Spellings of added tokens that a person must not write, though the file does not call them special, such
   * as those that the model's chat template writes. Spellings that the file does not have count for nothing.
   */
  controlMarks?: readonly string[];
}

export interface Tokenizer {
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

/** Never emits half a character; emitted text never changes. */
export interface StreamDecoder {
  /** The text that this token completes; may be empty. */
  push(id: number): string;
  /** The rest when no more tokens come; a broken character becomes U+FFFD. */
  end(): string;
}

/**
 * @param json the parsed `tokenizer.json`
 * @throws Error if it is not one, or of a kind that cannot be read
 */
export function loadTokenizer(json: unknown, options: TokenizerOptions = {}): Tokenizer {
  const document = parseTokenizerFile(json);
  const given = new Set(options.controlMarks);
  const isMark = ({ special, content }: AddedToken): boolean => special || given.has(content);
  const marks = document.added_tokens.filter(isMark);
  const { full, literal, prefix } = construct(document, isMark);

  const decode = (ids: readonly number[]): string => {
    const known = ids.filter((id) => full.id_to_token(id) !== undefined);
    if (known.length === 0) return '';
    return full.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  };

  const encodeLetters = (text: string): number[] =>
    text === '' ? [] : literal.encode(text, { add_special_tokens: false }).ids;
  const splitSpecial = splitterOf(marks);

  return {
    encode: (text, { bos, special = false, mask = '' }) => {
      const sections = special ? splitSpecial(text) : [text];
      const ids = sections.flatMap((section) =>
        typeof section === 'number' ? [section] : encodeLetters(withoutMask(section, mask)),
      );
      return bos ? [...prefix, ...ids] : ids;
    },
    decode,
    addedTokens: document.added_tokens.map(({ id, content, special }) => ({
      id,
      content,
      special,
    })),
    controlMarks: [...new Set(marks.map(({ content }) => content))],
    specialTokens: document.added_tokens.flatMap(({ special, content }) =>
      special ? [content] : [],
    ),
    streamDecoder: (before = []) => streamDecoder(decode, before),
    idToToken: (id) => full.id_to_token(id),
    tokenToId: (token) => full.token_to_id(token),
  };
}

interface Constructed {
  full: HubTokenizer;
  literal: HubTokenizer;
  prefix: number[];
}

/** Also encodes and decodes a text, because some missing parts show only in use. */
function construct(document: TokenizerFile, isMark: (token: AddedToken) => boolean): Constructed {
  try {
    const full = new HubTokenizer(document, {});
    const literal = withoutMarks(document, isMark, full);
    full.decode(literal.encode('Try it: 1 é\n').ids, { skip_special_tokens: true });
    return { full, literal, prefix: prefixOf(full) };
  } catch (error) {
    throw new Error(
      `this tokenizer.json is of a kind that cannot be read here: ${parserFault(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** The same tokenizer with its control marks as plain letters; it shares the large tables. */
function withoutMarks(
  document: TokenizerFile,
  isMark: (token: AddedToken) => boolean,
  full: HubTokenizer,
): HubTokenizer {
  const literal = new HubTokenizer(
    {
      ...document,
      added_tokens: document.added_tokens.filter((token) => !isMark(token)),
      model: { type: 'BPE', vocab: {}, merges: [] },
    },
    {},
  );
  literal.model = full.model;
  return literal;
}

/** Splits a text at its special tokens, and returns those as ids. */
function splitterOf(tokens: AddedToken[]): (text: string) => (string | number)[] {
  if (tokens.length === 0) return (text) => [text];
  const bySpelling = new Map(tokens.map((token) => [token.content, token]));
  const spellings = [...bySpelling.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${spellings.map(escapeRegExp).join('|')})`);
  return (text) => {
    // The pattern is one group, so every second part is a token.
    const parts = text.split(pattern);
    return parts.map((part, i) => {
      const token = i % 2 === 1 ? bySpelling.get(part) : undefined;
      if (token) return token.id;
      const before = i > 0 ? bySpelling.get(parts[i - 1]) : undefined;
      const after = i + 1 < parts.length ? bySpelling.get(parts[i + 1]) : undefined;
      const start = before?.rstrip === true ? part.trimStart() : part;
      return after?.lstrip === true ? start.trimEnd() : start;
    });
  };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function withoutMask(text: string, mask: string): string {
  return mask === '' ? text : text.replaceAll(mask, '');
}

/** The tokens that the post-processor puts before a text: usually one, or none. */
function prefixOf(full: HubTokenizer): number[] {
  const plain = full.encode('a', { add_special_tokens: false }).ids;
  const framed = full.encode('a').ids;
  return framed.slice(0, Math.max(0, framed.lastIndexOf(plain[0])));
}

/**
 * Decodes a sliding window twice: from the last settled place without and with the new tokens. The difference
 * is new text. An incomplete character decodes as one trailing U+FFFD.
 */
function streamDecoder(
  decode: (ids: readonly number[]) => string,
  before: readonly number[],
): StreamDecoder {
  let window = before.slice(-contextTokens);
  let settled = window.length;
  let emitted = decode(window).length;

  const emitTo = (text: string, length: number): string => {
    const fresh = text.slice(emitted, length);
    emitted = Math.max(emitted, length);
    return fresh;
  };

  return {
    push: (id) => {
      window.push(id);
      const text = decode(window);
      if (text.endsWith('\uFFFD')) return emitTo(text, text.length - 1);
      const fresh = emitTo(text, text.length);
      // A token without text cannot serve as context.
      if (fresh === '') return '';
      window = window.slice(settled);
      settled = window.length;
      emitted = decode(window).length;
      return fresh;
    },
    end: () => {
      const text = decode(window);
      return emitTo(text, text.length);
    },
  };
}

/** Tokens of context that are enough to tell whether a word continues. */
const contextTokens = 8;

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../model/text/tokenizer.ts';
import { sentencePieceFolderTokenizer } from './sentencepiece-folder.ts';
import { readTokenizerModel } from './tokenizer-model.ts';

const ids = v.array(v.number());
const encodings = v.array(v.object({ text: v.string(), ids }));

/** Models that SentencePiece trained, with the ids and texts that it gives. */
const models = v.parse(
  v.record(v.string(), v.object({ base64: v.string(), encode: encodings, decode: encodings })),
  JSON.parse(readFileSync(new URL('fixtures/tokenizer-models.json', import.meta.url), 'utf8')),
);

const fileOf = (name: string): Uint8Array => Buffer.from(models[name].base64, 'base64');

function load(name: string, more: { config?: unknown; addedTokens?: unknown } = {}): Tokenizer {
  return loadTokenizer(sentencePieceFolderTokenizer({ model: fileOf(name), ...more }));
}

const computed = [
  'plain',
  'collapse',
  'no-prefix',
  'words',
  'words-collapse',
  'words-no-prefix',
  'no-bytes',
  'unigram',
  'unigram-words',
];

describe.each(computed)('the tokenizer.model "%s"', (name) => {
  const tokenizer = load(name);

  it('gives SentencePiece’s ids', () => {
    for (const { text, ids } of models[name].encode)
      // A text that is nothing but a word of its own has no space before it, unlike SentencePiece's.
      if (text !== '<sep>' || name === 'words-no-prefix')
        expect([text, tokenizer.encode(text, { bos: false })]).toEqual([text, ids]);
  });

  it('gives SentencePiece’s texts', () => {
    const unknown = 0;
    for (const { text, ids } of models[name].decode)
      // Only one space is taken from the beginning: a text that grows could not take more.
      if (!ids.includes(unknown) && !tokenizer.decode(ids).startsWith(' hello'))
        expect([ids, tokenizer.decode(ids)]).toEqual([ids, text]);
  });
});

describe('what a tokenizer.model cannot say here', () => {
  const refused: [string, RegExp][] = [
    ['char', /is of the kind CHAR/],
    ['word', /is of the kind WORD/],
    ['suffix', /treat_whitespace_as_suffix/],
  ];

  it.each(refused)('the model "%s" is refused by name', (name, message) => {
    expect(() => load(name)).toThrow(message);
  });

  it('tiktoken’s form is refused by name', () => {
    const file = new TextEncoder().encode('IQ== 0\nIg== 1\n');
    expect(() => readTokenizerModel(file)).toThrow(/tiktoken/);
  });
});

describe('words beside a tokenizer.model', () => {
  const size = readTokenizerModel(fileOf('plain')).pieces.length;

  it('come from added_tokens.json, special if the configuration names them so', () => {
    const tokenizer = load('plain', {
      addedTokens: { '<|im_start|>': size, '<|im_end|>': size + 1 },
      config: { eos_token: { content: '<|im_end|>' }, bos_token: '<s>', add_bos_token: false },
    });
    const encode = (text: string, special: boolean) =>
      tokenizer.encode(text, { bos: true, special });
    expect(encode('<|im_start|><|im_end|>', true)).toEqual([size, size + 1]);
    expect(encode('<|im_start|>', false)).toEqual([size]);
    expect(encode('<|im_end|>', false)).not.toContain(size + 1);
    expect(tokenizer.specialTokens).toContain('<|im_end|>');
    expect(tokenizer.idToToken(size)).toBe('<|im_start|>');
  });

  it('come from added_tokens_decoder, which wins and says what white space they take in', () => {
    const tokenizer = load('plain', {
      addedTokens: { '<|x|>': size },
      config: {
        added_tokens_decoder: {
          [size]: { content: '<|user|>', special: true, rstrip: true, normalized: false },
        },
      },
    });
    const plain = load('plain').encode('hello', { bos: false });
    expect(tokenizer.encode('<|user|>\n hello', { bos: false, special: true })).toEqual([
      size,
      ...plain,
    ]);
    expect(tokenizer.tokenToId('<|x|>')).toBeUndefined();
  });

  it('begin texts with BOS unless the configuration says no', () => {
    expect(load('plain').encode('', { bos: true })).toEqual([1]);
    expect(load('plain', { config: { bos_token: '</s>' } }).encode('', { bos: true })).toEqual([2]);
    const without = load('plain', { config: { add_bos_token: false } });
    expect(without.encode('', { bos: true })).toEqual([]);
  });

  it('have no space behind them where the configuration is not of the legacy kind', () => {
    const first = (text: string, config: unknown): string | undefined => {
      const tokenizer = load('plain', { config });
      const ids = tokenizer.encode(text, { bos: false, special: true });
      return ids.map((id) => tokenizer.idToToken(id)).find((token) => token !== '<s>');
    };
    expect(first('<s>hello', {})).toBe('▁hello');
    expect(first('hello', { legacy: false })).toBe('▁hello');
    expect(first('<s>hello', { legacy: false })).toBe('he');
    expect(first('hello', { add_prefix_space: false })).toBe('he');
  });

  it('are refused where they are not what they should be', () => {
    expect(() => load('plain', { addedTokens: { x: 'y' } })).toThrow(/added_tokens\.json/);
    expect(() => load('plain', { config: { added_tokens_decoder: { a: {} } } })).toThrow(
      /tokenizer_config\.json is not a tokenizer's: at added_tokens_decoder/,
    );
  });
});

describe('a hostile tokenizer.model', () => {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
  const field = (number: number, wire: number, ...bytes: number[]): number[] => [
    ...varint(number * 8 + wire),
    ...bytes,
  ];
  const message = (number: number, body: number[]): number[] =>
    field(number, 2, ...varint(body.length), ...body);
  const text = (number: number, letters: string): number[] =>
    message(number, Array.from(new TextEncoder().encode(letters)));

  const cases: [string, number[], RegExp][] = [
    ['an empty file', [], /has no pieces/],
    ['a length beyond the file', field(1, 2, ...varint(2 ** 31), 1), /reaches to \d+, past/],
    ['a piece cut short', [...message(1, [10, 9, 65])], /reaches to 11, past its message's 3/],
    ['text of the wrong wire type', message(1, field(1, 0, 5)), /has the wire type 0/],
    ['a score of the wrong wire type', message(1, field(2, 0, 5)), /the score of piece 0 has/],
    ['a score that is no number', message(1, field(2, 5, 0, 0, 192, 127)), /is no number/],
    ['an unknown type of piece', message(1, field(3, 0, 9)), /piece 0 is of the unknown type 9/],
    ['text that is not UTF-8', message(1, message(1, [255])), /piece 0 is not UTF-8/],
    ['groups', [11, 12], /there is no protobuf field at byte 0/],
    [
      'an unknown kind of model',
      [...message(1, text(1, 'a')), ...message(2, field(3, 0, 7))],
      /kind 7/,
    ],
    [
      'spaces kept',
      [...message(1, text(1, 'a')), ...message(3, field(5, 0, 0))],
      /escape_whitespaces/,
    ],
    [
      'a table of letters to change',
      [...message(1, text(1, 'a')), ...message(3, [...text(1, 'nmt_nfkc'), ...text(2, 'table')])],
      /changes letters by the normalization rules "nmt_nfkc"/,
    ],
    [
      'a page',
      Array.from(new TextEncoder().encode('<!doctype html><html>')),
      /no SentencePiece model/,
    ],
  ];

  it.each(cases)('with %s is refused in one sentence', (_, bytes, reason) => {
    expect(() => readTokenizerModel(Uint8Array.from(bytes))).toThrow(reason);
    expect(() => readTokenizerModel(Uint8Array.from(bytes))).toThrow(/^tokenizer\.model [^\n]+$/);
  });

  it('with a million pieces is refused soon, and without their memory', () => {
    const bytes = new Uint8Array(4 << 20);
    for (let at = 0; at < bytes.length; at += 2) bytes[at] = 10;
    expect(() => readTokenizerModel(bytes)).toThrow(/more pieces than the 1048576/);
  });

  it('cut short anywhere is read, or refused in one sentence', () => {
    const whole = fileOf('plain');
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), (length) => {
        try {
          readTokenizerModel(whole.subarray(0, length));
        } catch (error) {
          expect(String(error)).toMatch(/^Error: tokenizer\.model [^\n]{20,}$/);
        }
      }),
    );
  });
});

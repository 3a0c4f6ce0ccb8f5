import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { llamaTokenizer, llamaWords } from '../fixtures/tokenizer-files.ts';
import { parseTokenizerText } from './tokenizer-file.ts';
import { loadTokenizer, type Tokenizer } from './tokenizer.ts';

const tokenizer = loadTokenizer(llamaTokenizer);
const id = (token: string) => tokenizer.tokenToId(token) ?? NaN;

function streamed(from: Tokenizer, ids: readonly number[], before?: readonly number[]): string[] {
  const decoder = from.streamDecoder(before);
  return [...ids.map((token) => decoder.push(token)), decoder.end()];
}

describe('a tokenizer', () => {
  it('begins a text with the token that begins texts, when asked', () => {
    expect(tokenizer.encode('he', { bos: true })).toEqual([1, id('▁he')]);
    expect(tokenizer.encode('he', { bos: false })).toEqual([id('▁he')]);
  });

  it('reads special tokens only where a template wrote them', () => {
    expect(tokenizer.encode('a</s>', { bos: false, special: true })).toEqual([id('▁a'), 2]);
    const literal = tokenizer.encode('a</s>', { bos: false });
    expect(literal).not.toContain(2);
    expect(tokenizer.decode(literal)).toBe('a</s>');
  });

  it('reads no special token with a mask in it', () => {
    const options = { bos: false, special: true, mask: '*' };
    expect(tokenizer.encode('a</s>', options)).toEqual([id('▁a'), 2]);
    expect(tokenizer.encode('a<*/s>', options)).toEqual(tokenizer.encode('a</s>', { bos: false }));
  });

  it('spells what it does not know in bytes, and gives any text back', () => {
    expect(tokenizer.encode('é', { bos: false })).toEqual([id('▁'), id('é')]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const back = tokenizer.decode(tokenizer.encode(text, { bos: true }));
        // The piece ▁ stands for a space, so a literal one comes back as a space.
        expect(back).toBe(text.replaceAll('▁', ' '));
      }),
    );
  });

  it('knows words that are also names in JavaScript', () => {
    expect([id('prototype'), id('constructor')]).toEqual([270, 271]);
    expect(tokenizer.decode([id('prototype')])).toBe('prototype');
  });

  it('decodes nothing to nothing, and ids without a token to nothing', () => {
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.decode([1, 2, 9999])).toBe('');
  });

  it('refuses what is too large, or too deep, to be a published file', () => {
    const cut = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated' });
    const nested = (depth: number): object =>
      depth === 0 ? cut('a') : { type: 'Sequence', pretokenizers: [nested(depth - 1)] };
    const load = (change: object) => () => loadTokenizer({ ...llamaTokenizer, ...change });
    expect(load({ pre_tokenizer: nested(3) })).not.toThrow();
    expect(load({ pre_tokenizer: nested(4) })).toThrow(/pre_tokenizer.*sequences too deep/);
    expect(load({ pre_tokenizer: cut('a'.repeat(200_001)) })).toThrow(/of at most 200000 letters/);
    const steps = Array.from({ length: 1001 }, () => cut('a'));
    expect(load({ pre_tokenizer: { type: 'Sequence', pretokenizers: steps } })).toThrow(
      /more than 1000 steps/,
    );
    const [token] = llamaTokenizer.added_tokens;
    expect(load({ added_tokens: [{ ...token, content: 'x'.repeat(5000) }] })).toThrow(
      /at added_tokens\.0\.content/,
    );
  });

  it('takes the model’s id where an added token has another, as the library in Rust does', () => {
    const [token] = llamaTokenizer.added_tokens;
    const known = { ...token, id: 999, content: '▁he', special: false };
    const file = { ...llamaTokenizer, added_tokens: [...llamaTokenizer.added_tokens, known] };
    expect(loadTokenizer(file).encode('▁he', { bos: false })).toEqual([id('▁he')]);
  });

  it('says what is wrong with a tokenizer.json', () => {
    expect(() => loadTokenizer({ model: {} })).toThrow(
      /tokenizer\.json is broken: at added_tokens/,
    );
    expect(() => loadTokenizer({ ...llamaTokenizer, decoder: { type: 'Rot13' } })).toThrow(
      /cannot be read here: .*Rot13/,
    );
    const { model } = llamaTokenizer;
    const broken: [object, RegExp][] = [
      [{ model: { ...model, merges: ['h e', ['a', 'b']] } }, /at model\.merges, expected pairs/],
      [{ model: { ...model, vocab: { a: -1 } } }, /at model\.vocab, expected a vocabulary/],
      [{ decoder: { type: 'Sequence', decoders: {} } }, /at decoder\.decoders/],
      [{ normalizer: { type: 'Replace', pattern: {} } }, /at normalizer\.pattern, expected a pat/],
      [
        { post_processor: { type: 'TemplateProcessing', single: 1 } },
        /one of its parts is missing/,
      ],
    ];
    for (const [change, sentence] of broken)
      expect(() => loadTokenizer({ ...llamaTokenizer, ...change })).toThrow(sentence);
    expect(() => parseTokenizerText('<!doctype html>')).toThrow(
      /tokenizer\.json is not complete JSON .*fetch the model again/,
    );
  });
});

describe('a stream decoder', () => {
  it('holds a character back until its last byte', () => {
    const ids = [id('▁'), ...[0xe2, 0x82, 0xac].map((byte) => byte + 3), id('a')];
    expect(streamed(tokenizer, ids)).toEqual(['', '', '', '€', 'a', '']);
  });

  it('gives up a broken character as U+FFFD', () => {
    expect(streamed(tokenizer, [id('a'), 0xe2 + 3, id('b')]).join('')).toBe('a\uFFFDb');
    expect(streamed(tokenizer, [id('a'), 0xe2 + 3])).toEqual(['a', '', '\uFFFD']);
  });

  it('keeps the space between a prompt and what continues it', () => {
    const prompt = tokenizer.encode('he', { bos: true });
    expect(streamed(tokenizer, [id('▁a'), id('▁he')], prompt).join('')).toBe(' a he');
    expect(streamed(tokenizer, [id('▁a'), id('▁he')]).join('')).toBe('a he');
  });

  it('keeps the space after a special token', () => {
    expect(streamed(tokenizer, [id('a'), 2, id('▁a')]).join('')).toBe('a a');
  });

  it('says in pieces exactly what decoding says at once', () => {
    const anyId = fc.integer({ min: 0, max: 258 + llamaWords.length });
    fc.assert(
      fc.property(fc.array(anyId), (ids) => {
        expect(streamed(tokenizer, ids).join('')).toBe(tokenizer.decode(ids));
      }),
    );
  });

  it('never shows half a character of valid text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        fc.pre(!text.includes('\uFFFD'));
        const pieces = streamed(tokenizer, tokenizer.encode(text, { bos: false }));
        for (const piece of pieces) expect(piece).not.toContain('\uFFFD');
        expect(pieces.join('')).toBe(text.replaceAll('▁', ' '));
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../model/text/tokenizer.ts';
import { tinyLlama2cTokenizer, tinyPieces } from '../fixtures/tiny-llama2c.ts';
import { convertLlama2cTokenizer } from './llama2c-tokenizer.ts';

const pieces: [string, number][] = [
  [' t', -1],
  ['er', -2],
  ['in', -3],
  ['th', -4],
  [' th', -5],
  ['the', -6],
  [' the', -7],
  ['ther', -8],
  ['inn', -9],
  ['  ', -1e9],
  ['    ', -1e9],
  ...Array.from('tehrinaé', (letter, i): [string, number] => [letter, -20 - i]),
  [' ', -40],
];
const vocabSize = 259 + pieces.length;
const file = tinyLlama2cTokenizer(pieces);

/** SentencePiece's own procedure: merge the best-scoring pair of neighbours, leftmost first, until none is. */
function sentencePiece(text: string): number[] {
  const ids = new Map(pieces.map(([piece], i) => [piece, 259 + i]));
  const scores = new Map(pieces);
  const parts = Array.from(` ${text}`);
  for (;;) {
    let best = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const score = scores.get(parts[i] + parts[i + 1]);
      if (score !== undefined && (best < 0 || score > scoreAt(best))) best = i;
    }
    if (best < 0) break;
    parts.splice(best, 2, parts[best] + parts[best + 1]);
  }
  return parts.flatMap((part) => {
    const id = ids.get(part);
    return id === undefined ? Array.from(new TextEncoder().encode(part), (byte) => byte + 3) : [id];
  });

  function scoreAt(i: number): number {
    return scores.get(parts[i] + parts[i + 1]) ?? -Infinity;
  }
}

describe('convertLlama2cTokenizer', () => {
  const tokenizer = loadTokenizer(convertLlama2cTokenizer(file, vocabSize));

  it('cuts text exactly as SentencePiece does', () => {
    const letters = fc.constantFrom(...Array.from('tehrinaé 🙂x'));
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 40 }), (text) => {
        expect(tokenizer.encode(text, { bos: false })).toEqual(text ? sentencePiece(text) : []);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the text back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const back = tokenizer.decode(tokenizer.encode(text, { bos: true }));
        expect(back).toBe(text.replaceAll('▁', ' '));
      }),
    );
  });

  it('names the control tokens as Llama does', () => {
    expect([0, 1, 2, 3, 13].map((id) => tokenizer.idToToken(id))).toEqual([
      '<unk>',
      '<s>',
      '</s>',
      '<0x00>',
      '<0x0A>',
    ]);
  });

  it('refuses a file of another model, and one cut short', () => {
    const tiny = tinyLlama2cTokenizer(tinyPieces);
    expect(() => convertLlama2cTokenizer(tiny, 263)).toThrow(/belongs to another model/);
    expect(() => convertLlama2cTokenizer(tiny, 265)).toThrow(/ends after 264 pieces.*has 265/);
    expect(() => convertLlama2cTokenizer(new Uint8Array(2), 264)).toThrow(/empty/);
  });

  it('answers a file cut anywhere with a sentence', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), (length) => {
        expect(() => convertLlama2cTokenizer(file.subarray(0, length), vocabSize)).toThrow(
          /tokenizer file/,
        );
      }),
    );
  });
});

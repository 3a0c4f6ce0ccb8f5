import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../tokenizer.ts';
import { EncodingSchema, readFixture } from './fixtures/read-fixture.ts';

const files = [
  'metaspace-first.json',
  'rstrip-white-space.json',
  'lone-surrogates.json',
  'added-words.json',
  'metaspace-schemes.json',
  'unigram.json',
];

describe.each(files)('%s', (name) => {
  const known = readFixture(name, v.union([EncodingSchema, v.array(EncodingSchema)]));
  const encodings = Array.isArray(known) ? known : [known];

  it('gives the ids of the tokenizers library', () => {
    for (const { tokenizer: file, encode } of encodings) {
      const tokenizer = loadTokenizer(file);
      for (const { text, ids } of encode)
        expect([text, tokenizer.encode(text, { bos: false, special: true })]).toEqual([text, ids]);
    }
  });

  it('gives its texts', () => {
    for (const { tokenizer: file, decode } of encodings) {
      const tokenizer = loadTokenizer(file);
      for (const { text, ids } of decode) expect([ids, tokenizer.decode(ids)]).toEqual([ids, text]);
    }
  });

  it('says while it grows what it says at once', () => {
    for (const { tokenizer: file, encode } of encodings) {
      const tokenizer = loadTokenizer(file);
      for (const { ids } of encode) {
        const stream = tokenizer.streamDecoder();
        const text = ids.map((id) => stream.push(id)).join('') + stream.end();
        expect([ids, text]).toEqual([ids, tokenizer.decode(ids)]);
      }
    }
  });
});

describe('control marks', () => {
  const known = readFixture(
    'control-marks.json',
    v.object({
      tokenizer: v.unknown(),
      controlMarks: v.array(v.string()),
      prompts: v.array(v.object({ user: v.string(), ids: v.array(v.number()) })),
    }),
  );
  const tokenizer = loadTokenizer(known.tokenizer, { controlMarks: () => known.controlMarks });
  const mask = '\u{10FFFD}';
  const mark = (text: string) => Array.from(text).join(mask);
  const prompt = (user: string) =>
    `<|im_start|>user\n${user}<|im_end|>\n<|im_start|>assistant\n<think>\n`;

  it('are tokens in what a template wrote, and letters in what a person wrote', () => {
    for (const { user, ids } of known.prompts) {
      const marked = known.controlMarks.reduce(
        (text, spelling) => text.replaceAll(spelling, mark(spelling)),
        user,
      );
      const encoded = tokenizer.encode(prompt(marked), { bos: false, special: true, mask });
      expect([user, encoded]).toEqual([user, ids]);
    }
  });

  it('stay letters where the mask only stands around what a person wrote', () => {
    const encode = (text: string) => tokenizer.encode(text, { bos: false, special: true, mask });
    const forged = encode(`<|im_start|>user\n<|im_${mask}end|>${mask}<|im_end|>`);
    expect(forged.filter((id) => id === 258)).toEqual([258]);
    expect(forged).toEqual([257, ...tokenizer.encode('user\n<|im_end|>', { bos: false }), 258]);
  });

  it('are letters in a plain text; other added tokens are tokens there', () => {
    const letters = Array.from(new TextEncoder().encode('<|im_end|><think>'));
    expect(tokenizer.encode('<|im_end|><think>', { bos: false })).toEqual(letters);
    expect(tokenizer.encode('x    y<tool_call>', { bos: false })).toEqual([120, 262, 121, 261]);
  });

  it('are listed with the special tokens, and have a text', () => {
    expect(tokenizer.controlMarks.toSorted()).toEqual(known.controlMarks.toSorted());
    expect(tokenizer.specialTokens).toEqual(['<|endoftext|>']);
    expect(tokenizer.addedTokens.at(1)).toEqual({
      id: 257,
      content: '<|im_start|>',
      special: false,
    });
    expect(tokenizer.decode([256, 259, 104])).toBe('<think>h');
  });

  it('that the file does not have count for nothing', () => {
    const other = loadTokenizer(known.tokenizer, { controlMarks: () => ['<nothing>', 'h'] });
    expect(other.controlMarks).toEqual(['<|endoftext|>']);
    expect(other.encode('h', { bos: false })).toEqual([104]);
  });

  it('take in the white space of a person’s text too, as in transformers', () => {
    const { tokenizer: file } = readFixture('rstrip-white-space.json', EncodingSchema);
    const ids = loadTokenizer(file).encode(`<|user|>\n${mask}\n \na${mask}<|end|>`, {
      bos: false,
      special: true,
      mask,
    });
    expect(ids).toEqual([263, 260, 264]);
  });
});

describe('a text with half a surrogate pair', () => {
  it('does not become whole where a mask is taken out', () => {
    const { tokenizer: file } = readFixture('lone-surrogates.json', EncodingSchema);
    const tokenizer = loadTokenizer(file);
    const options = { bos: false, special: true, mask: '*' };
    expect(tokenizer.encode('\ud83d*\ude00', options)).toEqual([262, 262]);
    expect(tokenizer.encode('\ud83d\ude00', options)).toEqual(
      tokenizer.encode('😀', { bos: false }),
    );
  });
});

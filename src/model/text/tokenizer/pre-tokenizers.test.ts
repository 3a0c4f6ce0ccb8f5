import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { readFixture } from './fixtures/read-fixture.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';
import { StepSchema } from './steps.ts';

const { texts, steps } = readFixture(
  'pre-tokenizers.json',
  v.object({
    texts: v.array(v.string()),
    steps: v.array(v.object({ step: v.unknown(), pieces: v.array(v.array(v.string())) })),
  }),
);
const cases = steps.map(({ step, pieces }) => [JSON.stringify(step), step, pieces] as const);

describe('a step that cuts text', () => {
  it.each(cases)('%s gives the pieces of the tokenizers library', (_, step, pieces) => {
    const cut = preTokenizerOf(v.parse(StepSchema, step));
    expect(texts.map((text) => cut(text, true))).toEqual(pieces);
  });

  it('puts ▁ before the first piece only where that opens the text', () => {
    const step = v.parse(StepSchema, { type: 'Metaspace', prepend_scheme: 'first', split: false });
    expect(preTokenizerOf(step)('a b', true)).toEqual(['▁a▁b']);
    expect(preTokenizerOf(step)('a b', false)).toEqual(['a▁b']);
  });

  it.each(['-', '/', '.', '[^]', '\\', 'a|b'])('cuts at the text %s as it is', (text) => {
    const step = v.parse(StepSchema, {
      type: 'Split',
      pattern: { String: text },
      behavior: 'Isolated',
      invert: false,
    });
    expect(preTokenizerOf(step)(`x${text}y`, true)).toEqual(['x', text, 'y']);
  });

  const refused: [string, RegExp][] = [
    ['(?m:.)', /a group of an unknown kind \(\(\?m:/],
    ['(?~abc)', /a group of an unknown kind/],
    ['(a)\\1b++', /back references beside atomic groups/],
    ['[a', /a class that does not end/],
    ['a)', /a group that ends and did not begin/],
    ['*', /a repetition of nothing/],
    ['\\', /a backslash at its end/],
  ];

  it.each(refused)('refuses the pattern %s by what it has', (regex, message) => {
    const step = v.parse(StepSchema, { type: 'Split', pattern: { Regex: regex } });
    expect(() => preTokenizerOf(step)).toThrow(message);
  });
});

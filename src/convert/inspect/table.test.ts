import { expect, it } from 'vitest';
import { nothingKnown } from './description.ts';
import { descriptionTable } from './table.ts';

it('lists what is known in two columns, and leaves out what is not', () => {
  const table = descriptionTable({
    ...nothingKnown(),
    kind: 'folder',
    family: 'llama',
    contextLength: 131_072,
    weights: [
      { type: 'Q4_K', bytes: 2_000 },
      { type: 'F32', bytes: 8 },
    ],
    tokenizer: { kind: 'gpt2', pre: 'qwen2', bos: '<s>', addsBos: false },
    stopTokens: [{ id: 2, text: '</s>' }],
    controlMarks: Array.from({ length: 20 }, (_, id) => ({ id, text: null })),
    rope: {
      theta: 10_000,
      partialRotaryFactor: 0.75,
      scaling: { rope_type: 'per_pair', factors: Array<number>(32).fill(1) },
    },
    sampling: { ...nothingKnown().sampling, temperature: 0.6 },
    hasTemplate: true,
    prompt: { text: 'a\nb', ids: [1, 2] },
  });
  expect(table.split('\n')).toEqual([
    'kind           folder',
    'family         llama',
    'context        131,072 tokens',
    'weights        Q4_K 2,000 bytes, F32 8 bytes',
    'tokenizer      gpt2, cut by the rule qwen2, bos "<s>", texts begin without bos',
    'stop tokens    2 "</s>"',
    'control marks  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, and 8 more',
    'rope           theta 10000, 0.75 of a head rotated, scaled: {"rope_type":"per_pair","factors":"32 numbers"}',
    'sampling       temperature 0.6',
    'chat template  yes',
    'prompt         "a\\nb"',
    'prompt ids     1 2',
  ]);
});

it('shows a refusal first, and one line for each row whatever the model calls itself', () => {
  const table = descriptionTable({
    ...nothingKnown(),
    refusal: 'no\nmodel',
    family: 'a\u001b[2Jb\nc',
  });
  expect(table.split('\n')).toHaveLength(2);
  expect(table).toMatch(/^refused {2}no model\n/);
  expect(table).not.toContain('\u001b');
});

import { expect, it } from 'vitest';
import { contextLengthOf } from './context-length.ts';

it('is what the host wants, within what the model can', () => {
  const long = { max_position_embeddings: 131_072 };
  expect(contextLengthOf(long, null)).toBe(4096);
  expect(contextLengthOf(long, 32_768)).toBe(32_768);
  expect(contextLengthOf({ max_position_embeddings: 256 }, null)).toBe(256);
  expect(contextLengthOf({ max_position_embeddings: 256 }, 1024)).toBe(256);
});

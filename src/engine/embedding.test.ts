import { expect, it } from 'vitest';
import { dequantise } from '../model/numbers/dequantise.ts';
import { quantise, type StorableDtype } from '../model/numbers/quantise.ts';
import { createEmbedding } from './embedding.ts';
import type { StoredTensor } from './engine.ts';
import { readTinyModelFile } from './fixtures/node-runtime.ts';
import { noise } from './random-tensors.ts';

const { config: tiny } = await readTinyModelFile('tiny-llama');
const config = { ...tiny, vocab_size: 5, hidden_size: 64 };

function table(dtype: StorableDtype): StoredTensor {
  const data = quantise(dtype, noise(5 * 64, 1));
  return { name: 'model.embed_tokens.weight', dtype, shape: [5, 64], data };
}

it.each(['F32', 'F16', 'Q8_0', 'Q4_0'] as const)('looks up rows of %s', (dtype) => {
  const stored = table(dtype);
  const { lookUp, memoryBytes } = createEmbedding(config, stored, 'f32');
  const all = dequantise(dtype, stored.data);
  const expected = [...all.subarray(3 * 64, 4 * 64), ...all.subarray(0, 64)];
  expect([...lookUp(Int32Array.of(3, 0))]).toEqual(expected);
  expect(memoryBytes).toBe(stored.data.byteLength);
});

it('is made smaller where less is asked for, never larger', () => {
  const stored = table('F32');
  const smaller = createEmbedding(config, stored, 'q8');
  expect(smaller.memoryBytes).toBe(5 * 2 * 34);
  const exact = dequantise('F32', stored.data);
  smaller.lookUp(Int32Array.of(0, 1, 2, 3, 4)).forEach((value, index) => {
    // Half a step of a quantisation block whose largest value is below 1.
    expect(Math.abs(value - exact[index])).toBeLessThan(0.6 / 127);
  });
  expect(createEmbedding(config, table('Q4_0'), 'f32').memoryBytes).toBe(5 * 2 * 18);
});

it('refuses ids outside the vocabulary', () => {
  const { lookUp } = createEmbedding(config, table('F32'), 'f32');
  expect(() => lookUp(Int32Array.of(5))).toThrow('token 5 is outside the vocabulary of 5');
  expect(() => lookUp(Int32Array.of(-1))).toThrow('token -1');
});

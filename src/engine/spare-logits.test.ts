import { expect, it } from 'vitest';
import type { RunResult } from './engine.ts';
import { createSpareLogits } from './spare-logits.ts';

function logits(...values: number[]): RunResult {
  return { kind: 'logits', positions: 1, values: Float32Array.from(values), computeMs: 1 };
}

it('logits are placed in a buffer of their size that came back, once', () => {
  const spare = createSpareLogits();
  const buffer = new ArrayBuffer(12);
  spare.add(new ArrayBuffer(8));
  spare.add(buffer);
  const placed = spare.place(logits(1, 2, 3));
  expect(placed).toEqual(logits(1, 2, 3));
  expect(placed.values.buffer).toBe(buffer);
  expect(spare.place(logits(4, 5, 6)).values.buffer).not.toBe(buffer);
});

it('hidden states, and logits of another size, stay where they are', () => {
  const spare = createSpareLogits();
  spare.add(new ArrayBuffer(12));
  const hidden: RunResult = {
    kind: 'hidden',
    tokens: 1,
    values: Float32Array.of(1, 2, 3),
    computeMs: 1,
  };
  const two = logits(1, 2);
  expect(spare.place(hidden)).toBe(hidden);
  expect(spare.place(two)).toBe(two);
});

it('no more than 16 MiB are kept, and of those what came last', () => {
  const spare = createSpareLogits();
  const first = new ArrayBuffer(12);
  const last = new ArrayBuffer(8);
  spare.add(first);
  for (let count = 0; count < 16; count++) spare.add(new ArrayBuffer(1024 * 1024));
  spare.add(last);
  expect(spare.place(logits(1, 2, 3)).values.buffer).not.toBe(first);
  expect(spare.place(logits(1, 2)).values.buffer).toBe(last);
});

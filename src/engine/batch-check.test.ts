import { describe, expect, it } from 'vitest';
import { createBatchCheck } from './batch-check.ts';
import type { RunResult } from './engine.ts';

const right = [1, -2, 3];

function results(...values: number[][]): RunResult[] {
  return values.map((each) => {
    return { kind: 'hidden', tokens: 1, values: Float32Array.from(each), computeMs: 1 };
  });
}

/** Runs two batches of `size`, and returns which way each was computed. */
async function twice(size: number, shared: number[], check = createBatchCheck()) {
  const ways: string[] = [];
  for (let batch = 0; batch < 2; batch++) {
    const given = await check.run(
      size,
      () => (ways.push('together'), Promise.resolve(results(right, shared))),
      () => (ways.push('one by one'), Promise.resolve(results(right, right))),
    );
    if (batch === 0) expect([...given[1].values]).toEqual(right);
  }
  return ways;
}

describe('the batch check', () => {
  it('computes the first batch both ways, and the next together if they agree', async () => {
    const rounded = right.map((value) => value * 1.001);
    expect(await twice(2, rounded)).toEqual(['together', 'one by one', 'together']);
  });

  it.each([[[1, -2, 3.5]], [[1, NaN, 3]], [[0, 0, 0]]])(
    'goes on one by one where a batch gives %j',
    async (wrong) => {
      expect(await twice(2, wrong)).toEqual(['together', 'one by one', 'one by one']);
    },
  );

  it('asks each size for its own proof', async () => {
    const check = createBatchCheck();
    await twice(2, [9, 9, 9], check);
    expect(await twice(3, right, check)).toEqual(['together', 'one by one', 'together']);
  });
});

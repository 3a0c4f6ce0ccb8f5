import { expect, it } from 'vitest';
import { createBetweenLaps, type BetweenLaps } from './between-laps.ts';
import { greedy } from './sampler.ts';

const drawn = { ...greedy, temperature: 0.8, topP: 0.9 };

function observeAll(laps: BetweenLaps, sampling: typeof greedy, times: readonly number[]): void {
  for (const ms of times) laps.observe(sampling, ms);
}

it('is the median of what tokens chosen the same way took, whatever their seed', () => {
  const laps = createBetweenLaps();
  observeAll(laps, { ...drawn, seed: 1 }, new Array<number>(15).fill(3));
  observeAll(laps, { ...drawn, seed: 2 }, [40, 3]);
  expect(laps.usualMs({ ...drawn, seed: 3 })).toBe(3);
  expect(laps.usualMs(greedy)).toBe(0);
});

it('is not told by a handful of tokens', () => {
  const laps = createBetweenLaps();
  observeAll(laps, greedy, [9, 9, 9]);
  expect(laps.usualMs(greedy)).toBe(0);
});

it('follows what tokens take of late', () => {
  const laps = createBetweenLaps();
  observeAll(laps, greedy, new Array<number>(100).fill(1));
  observeAll(laps, greedy, new Array<number>(64).fill(2));
  expect(laps.usualMs(greedy)).toBe(2);
});

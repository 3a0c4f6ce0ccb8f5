import { expect, test } from 'vitest';
import { messageAllowance } from './message-allowance.ts';

const limits = { burstBytes: 1000, bytesPerSecond: 100, leastBytes: 50 };

test('a burst is fine, and no more than that', () => {
  const allows = messageAllowance(limits, () => 0);
  expect([allows(600), allows(400), allows(1)]).toEqual([true, true, false]);
});

test('even empty messages cost something', () => {
  const allows = messageAllowance(limits, () => 0);
  const sent = Array.from({ length: 21 }, () => allows(0));
  expect(sent.filter((ok) => ok)).toHaveLength(20);
});

test('it refills with time, up to the burst', () => {
  let atMs = 0;
  const allows = messageAllowance(limits, () => atMs);
  expect(allows(1000)).toBe(true);
  atMs = 2000;
  expect(allows(200)).toBe(true);
  expect(allows(50)).toBe(false);
  atMs = 3_600_000;
  expect(allows(1000)).toBe(true);
  expect(allows(50)).toBe(false);
});

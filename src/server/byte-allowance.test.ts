import { expect, it } from 'vitest';
import { createByteAllowance } from './byte-allowance.ts';

it('lets a burst pass, then what the rate allows, and forgets what it refused', () => {
  let nowMs = 0;
  const takes = createByteAllowance({ burstBytes: 3000, bytesPerSecond: 10_000 }, () => nowMs);
  const five = Array.from({ length: 5 }, () => takes(1000));
  expect(five).toEqual([true, true, true, false, false]);
  nowMs += 100;
  expect([takes(1000), takes(1)]).toEqual([true, false]);
});

it('refills up to the burst, and no further', () => {
  let nowMs = 0;
  const takes = createByteAllowance({ burstBytes: 1000, bytesPerSecond: 100 }, () => nowMs);
  expect(takes(1000)).toBe(true);
  nowMs = 2000;
  expect([takes(200), takes(50)]).toEqual([true, false]);
  nowMs = 3_600_000;
  expect([takes(1000), takes(50)]).toEqual([true, false]);
});

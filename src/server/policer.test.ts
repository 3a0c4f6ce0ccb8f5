import { expect, it } from 'vitest';
import { createPolicer } from './policer.ts';

it('lets a burst pass, then what the rate allows, and forgets what it dropped', () => {
  let nowMs = 0;
  const takes = createPolicer({ burstBytes: 3000, bytesPerSecond: 10_000 }, () => nowMs);
  expect([takes(1000), takes(1000), takes(1000), takes(1000), takes(1000)]).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  nowMs += 100;
  expect([takes(1000), takes(1)]).toEqual([true, false]);
  nowMs += 60_000;
  expect([takes(3000), takes(1)]).toEqual([true, false]);
});

import { expect, it } from 'vitest';
import { heapGrowthMb, runFuzz } from './run-fuzz.ts';

it('breaks no handler, reaches every type of message, valid and refused, and leaves honest devices alone', async () => {
  const report = await runFuzz(30_000, 1, () => undefined);
  expect(report.missing).toEqual([]);
  const [early, late] = report.heapMb;
  expect(late - early).toBeLessThan(heapGrowthMb);
  expect(report.frames).toBeGreaterThanOrEqual(30_000);
}, 120_000);

import { describe, expect, it } from 'vitest';
import { threeDevices, threeStages } from '../gallery/people.ts';
import { lapOf } from './lap.ts';
import { measuredTimeline, msOf, predictedTimeline, totalMs } from './timeline.ts';

describe('a timeline', () => {
  const lap = {
    epoch: 3,
    lapMs: 20,
    stages: [
      { stage: 0, queueMs: 0, computeMs: 4, wireMs: 0 },
      { stage: 1, queueMs: 0.5, computeMs: 6, wireMs: 2 },
      { stage: 2, queueMs: 0, computeMs: 3, wireMs: 1.5 },
      { stage: 3, queueMs: 0, computeMs: 1, wireMs: 1 },
    ],
  };

  it('has what a lap met, in order, and what is left of it', () => {
    const parts = measuredTimeline(lap, threeStages);
    expect(parts.map(({ kind, device, ms }) => `${kind} ${device} ${ms}`)).toEqual([
      'compute host 4',
      'wire a 2',
      'queue a 0.5',
      'compute a 6',
      'wire b 1.5',
      'compute b 3',
      'wire host 1',
      'compute host 1',
      'rest host 1',
    ]);
    expect(totalMs(parts)).toBe(20);
    expect(msOf(parts, 'queue', 'rest')).toBe(1.5);
  });

  it('has no rest where the means of the stages exceed the mean of the laps', () => {
    const parts = measuredTimeline({ ...lap, lapMs: 18 }, threeStages);
    expect(parts.some(({ kind }) => kind === 'rest')).toBe(false);
  });

  it('has the whole prediction of a plan', () => {
    const parts = predictedTimeline(lapOf(threeStages, threeDevices, 8));
    expect(parts.map(({ kind }) => kind).join(' ')).toBe(
      'compute wire compute wire compute wire compute',
    );
    expect(totalMs(parts)).toBeCloseTo(threeStages.predictedMsPerToken);
  });
});

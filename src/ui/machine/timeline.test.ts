import { describe, expect, it } from 'vitest';
import { measuredLap, threeDevices, threeStages } from '../gallery/people.ts';
import { lapOf } from './lap.ts';
import { measuredTimeline, msOf, predictedTimeline, totalMs } from './timeline.ts';

describe('a timeline', () => {
  it('has what a lap met, in order, and what is left of it', () => {
    const parts = measuredTimeline(measuredLap, threeStages);
    expect(parts.map(({ kind, device, ms }) => `${kind} ${device} ${ms.toFixed(1)}`)).toEqual([
      'compute host 2.6',
      'wire a 1.7',
      'queue a 0.7',
      'compute a 6.1',
      'wire b 2.9',
      'queue b 0.2',
      'compute b 2.4',
      'wire host 1.1',
      'queue host 0.1',
      'compute host 4.8',
      'rest host 1.7',
    ]);
    expect(totalMs(parts)).toBeCloseTo(24.3);
    expect(msOf(parts, 'queue', 'rest')).toBeCloseTo(2.7);
  });

  it('has no rest where the means of the stages exceed the mean of the laps', () => {
    const parts = measuredTimeline({ ...measuredLap, lapMs: 22 }, threeStages);
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

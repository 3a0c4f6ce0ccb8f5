import { describe, expect, it } from 'vitest';
import { faults, makeSchedule, type ScheduleOptions } from './schedule.ts';

const minutes: ScheduleOptions = {
  seed: 1,
  durationMs: 600_000,
  seats: 4,
  betweenMs: [3000, 8000],
  longestMs: 20_000,
  hasGpu: false,
};

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(makeSchedule(minutes)).toEqual(makeSchedule(minutes));
    expect(makeSchedule({ ...minutes, seed: 2 })).not.toEqual(makeSchedule(minutes));
  });

  it('has every kind that can happen, and a lost GPU only where there is one', () => {
    const kindsOf = (options: ScheduleOptions): string[] =>
      [...new Set(makeSchedule(options).map(({ kind }) => kind))].sort();
    const all = Object.keys(faults).sort();
    expect(kindsOf({ ...minutes, hasGpu: true })).toEqual(all);
    expect(kindsOf(minutes)).toEqual(all.filter((kind) => kind !== 'gpu lost'));
  });

  it.each([1, 2, 3, 4, 5])('can happen: seed %i', (seed) => {
    for (const seats of [3, 4, 5]) {
      const taken = new Set(Array.from({ length: seats }, (_, seat) => seat));
      let lastMs = 0;
      for (const { kind, seat, atMs, forMs } of makeSchedule({ ...minutes, seed, seats })) {
        const { leaves, hits, lastsMs } = faults[kind];
        expect(taken.has(seat)).toBe(leaves !== 'fills');
        if (leaves === 'empty') taken.delete(seat);
        if (leaves === 'fills') taken.add(seat);
        if (hits !== 'anyone') expect(seat === 0).toBe(hits === 'host');
        expect(atMs).toBeGreaterThanOrEqual(lastMs + minutes.betweenMs[0]);
        expect(forMs).toBeGreaterThanOrEqual(lastsMs[0]);
        expect(forMs).toBeLessThanOrEqual(lastsMs[1]);
        expect(taken.size).toBeGreaterThanOrEqual(2);
        lastMs = atMs;
      }
    }
  });

  it('leaves a seat alone while it is struck', () => {
    const until = new Map<number, number>();
    for (const { kind, seat, atMs, forMs } of makeSchedule(minutes)) {
      expect(atMs).toBeGreaterThanOrEqual(until.get(seat) ?? 0);
      until.set(seat, atMs + forMs + faults[kind].restMs);
    }
  });
});

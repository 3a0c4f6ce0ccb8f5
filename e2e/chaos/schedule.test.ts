import { describe, expect, it } from 'vitest';
import { faults, makeSchedule, type ScheduleOptions } from './schedule.ts';

const minutes: ScheduleOptions = {
  seed: 1,
  durationMs: 600_000,
  machines: 4,
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
    for (const machines of [3, 4, 5]) {
      const taken = new Set(Array.from({ length: machines }, (_, machine) => machine));
      let lastMs = 0;
      for (const { kind, machine, atMs, forMs } of makeSchedule({ ...minutes, seed, machines })) {
        const { leaves, hits, lastsMs } = faults[kind];
        expect(taken.has(machine)).toBe(leaves !== 'fills');
        if (leaves === 'empty') taken.delete(machine);
        if (leaves === 'fills') taken.add(machine);
        if (hits !== 'anyone') expect(machine === 0).toBe(hits === 'host');
        expect(atMs).toBeGreaterThanOrEqual(lastMs + minutes.betweenMs[0]);
        expect(forMs).toBeGreaterThanOrEqual(lastsMs[0]);
        expect(forMs).toBeLessThanOrEqual(lastsMs[1]);
        expect(taken.size).toBeGreaterThanOrEqual(2);
        lastMs = atMs;
      }
    }
  });

  it('leaves a machine alone while it has a fault', () => {
    const until = new Map<number, number>();
    for (const { kind, machine, atMs, forMs } of makeSchedule(minutes)) {
      expect(atMs).toBeGreaterThanOrEqual(until.get(machine) ?? 0);
      until.set(machine, atMs + forMs + faults[kind].restMs);
    }
  });
});

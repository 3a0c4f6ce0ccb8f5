import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeviceStatus } from '../../view.ts';
import { createStatusReporter } from './status-reporter.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const loading = (bytesLoaded: number): DeviceStatus => ({
  kind: 'loading',
  bytesLoaded,
  bytesTotal: 100,
});
const standby = (...layers: number[]): DeviceStatus => ({
  kind: 'standby',
  ready: layers.map((layer) => ({ first: layer, last: layer })),
});

interface Seen {
  set: (status: DeviceStatus) => void;
  reported: DeviceStatus[];
  shown: DeviceStatus[];
}

function open(): Seen {
  const reported: DeviceStatus[] = [];
  const shown: DeviceStatus[] = [];
  const reporter = createStatusReporter(
    (status) => shown.push(status),
    (status) => reported.push(status),
  );
  return { set: (status) => reporter.set(status), reported, shown };
}

describe('what a device does', () => {
  it('is told the host at once where it is something else', () => {
    const { set, reported } = open();
    for (const status of [loading(1), { kind: 'ready' } as const, loading(2)]) set(status);
    expect(reported).toEqual([loading(1), { kind: 'ready' }, loading(2)]);
    vi.advanceTimersByTime(1000);
    expect(reported).toHaveLength(3);
  });

  it('is told at most four times a second where it is more of the same, and shown each time', () => {
    const { set, reported, shown } = open();
    for (let bytes = 0; bytes < 100; bytes++) {
      set(loading(bytes));
      vi.advanceTimersByTime(10);
    }
    expect(shown).toHaveLength(100);
    expect(reported).toEqual([0, 24, 49, 74, 99].map(loading));
  });

  it('is told to the last: what was ready so soon that the host had just been told of nothing', () => {
    const { set, reported } = open();
    set(standby());
    vi.advanceTimersByTime(100);
    set(standby(2));
    set(standby(2, 3));
    expect(reported).toEqual([standby()]);
    vi.advanceTimersByTime(150);
    expect(reported).toEqual([standby(), standby(2, 3)]);
  });

  it('is not told again later when it has ended meanwhile', () => {
    const { set, reported } = open();
    set(loading(1));
    set(loading(2));
    set({ kind: 'ready' });
    vi.advanceTimersByTime(1000);
    expect(reported).toEqual([loading(1), { kind: 'ready' }]);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLoad } from './load.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('load', () => {
  it('rises at once, and falls when it has been lower for a while', () => {
    const changes: number[] = [];
    const load = createLoad(() => changes.push(load.answers()));
    expect(load.answers()).toBe(1);
    load.set(3);
    load.set(1);
    expect(load.answers()).toBe(3);
    vi.advanceTimersByTime(14_000);
    expect(load.answers()).toBe(3);
    vi.advanceTimersByTime(1_000);
    expect(load.answers()).toBe(1);
    expect(changes).toEqual([3, 1]);
  });

  it('does not follow a question that ends before the next begins', () => {
    const changes: number[] = [];
    const load = createLoad(() => changes.push(load.answers()));
    for (let question = 0; question < 10; question++) {
      load.set(2);
      vi.advanceTimersByTime(5_000);
      load.set(1);
      vi.advanceTimersByTime(5_000);
    }
    expect(changes).toEqual([2]);
  });

  it('is one while nobody asks', () => {
    const load = createLoad(() => undefined);
    load.set(1);
    load.set(0);
    vi.advanceTimersByTime(60_000);
    expect(load.answers()).toBe(1);
  });
});

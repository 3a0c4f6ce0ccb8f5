import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createBusyLight } from './busy-light.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('stays on through the short rests between tokens, and goes off after the last', () => {
  const shown: boolean[] = [];
  const light = createBusyLight((isBusy) => shown.push(isBusy));
  for (let token = 0; token < 50; token++) {
    light(true);
    vi.advanceTimersByTime(3);
    light(false);
    vi.advanceTimersByTime(30);
  }
  expect(shown).toEqual([true]);
  vi.advanceTimersByTime(1000);
  expect(shown).toEqual([true, false]);
  light(true);
  expect(shown).toEqual([true, false, true]);
});

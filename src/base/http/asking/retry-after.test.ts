import { describe, expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const nowMs = Date.parse('2026-03-01T12:00:00Z');
const after = (headers: Record<string, string>): number | null =>
  retryAfterMs(new Headers(headers), nowMs);

describe('retryAfterMs', () => {
  it.each([
    ['4', 4000],
    [' 120 ', 120_000],
    ['0', 0],
    ['1.5', 1500],
    ['99999999999', 99999999999000],
    ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
    ['Sunday, 01-Mar-26 12:00:30 GMT', 30_000],
    ['Sun Mar  1 12:00:30 2026', 30_000],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['', null],
  ])('reads %j', (text, ms) => {
    expect(after({ 'Retry-After': text })).toBe(ms);
  });

  it('compares a date with the time of the server, whose clock may differ', () => {
    expect(
      after({
        'Retry-After': 'Sun, 01 Mar 2026 09:00:10 GMT',
        Date: 'Sun, 01 Mar 2026 09:00:00 GMT',
      }),
    ).toBe(10_000);
  });

  it('reads the limit of the hub where it is used up', () => {
    expect(after({ RateLimit: '"api";r=0;t=55' })).toBe(56_000);
    expect(after({ RateLimit: '"api";r=3;t=55' })).toBeNull();
    expect(after({ RateLimit: '"api";r=0;t=55', 'Retry-After': '2' })).toBe(2000);
    expect(after({})).toBeNull();
  });
});

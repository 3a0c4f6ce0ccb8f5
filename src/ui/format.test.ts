import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDaysAgo,
  formatDuration,
  formatMbps,
  formatMs,
  formatPercent,
  formatTokensPerSecond,
} from './format.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [60_816_028, '60.8 MB'],
    [322_591_712, '323 MB'],
    [999_999, '1 MB'],
    [2_147_483_648, '2.1 GB'],
    [5_000_000_000_000_000, '5000 TB'],
    [NaN, '–'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(plain(formatBytes(bytes))).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [400, '0 s'],
    [42_300, '42 s'],
    [89_000, '89 s'],
    [91_000, '2 min'],
    [3600_000, '60 min'],
    [7_300_000, '2 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(plain(formatDuration(ms))).toBe(text);
  });
});

describe('formatMs', () => {
  it.each([
    [0, '0.0 ms'],
    [0.042, '0.04 ms'],
    [1.25, '1.3 ms'],
    [41.28, '41.3 ms'],
    [843.6, '844 ms'],
    [999.7, '1.0 s'],
    [1234, '1.2 s'],
    [61_000, '61.0 s'],
    [Infinity, '–'],
  ])('%d ms is %s', (ms, text) => {
    expect(plain(formatMs(ms))).toBe(text);
  });
});

describe('rates', () => {
  it.each([
    [40, '25.0 tokens/s'],
    [3.7, '270 tokens/s'],
    [1500, '0.67 tokens/s'],
    [0, '–'],
    [NaN, '–'],
  ])('%d ms a token is %s', (ms, text) => {
    expect(plain(formatTokensPerSecond(ms))).toBe(text);
  });

  it('goes from Mbit/s to Gbit/s', () => {
    expect(plain(formatMbps(54.2))).toBe('54.2 Mbit/s');
    expect(plain(formatMbps(1400))).toBe('1.4 Gbit/s');
  });
});

describe('formatPercent', () => {
  it('says 100 % only of the whole', () => {
    expect(plain(formatPercent(0.9999))).toBe('99 %');
    expect(plain(formatPercent(1))).toBe('100 %');
  });

  it('is not off by one where a fraction has no exact binary form', () => {
    expect(plain(formatPercent(0.29))).toBe('29 %');
  });

  it('stays between 0 and 100', () => {
    expect(plain(formatPercent(-1))).toBe('0 %');
    expect(plain(formatPercent(7))).toBe('100 %');
  });
});

it('counts days, never into the future', () => {
  const day = 86_400_000;
  expect([-5, 0.9 * day, day, 12.5 * day].map(formatDaysAgo)).toEqual([
    'today',
    'today',
    'yesterday',
    '12 days ago',
  ]);
});

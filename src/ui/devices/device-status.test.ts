import { expect, it } from 'vitest';
import { statusText } from './device-status.ts';

it('says how far loading is, in percent and of how much', () => {
  const status = statusText({ kind: 'loading', bytesLoaded: 43e6, bytesTotal: 100e6 });
  expect(status.text.replaceAll('\u00a0', ' ')).toBe('Loading its rows, 43 % of 100 MB');
  expect(status.fraction).toBeCloseTo(0.43);
});

it('counts bytes where the total is not known', () => {
  const status = statusText({ kind: 'preparing', bytesLoaded: 5e6, bytesTotal: 0 });
  expect(status.text.replaceAll('\u00a0', ' ')).toBe('Fetching the runtime, 5 MB');
  expect(status.fraction).toBeNull();
});

it('gives the reason of a failure as it is', () => {
  expect(statusText({ kind: 'failed', reason: 'The GPU was lost.' })).toEqual({
    text: 'The GPU was lost.',
    fraction: null,
    tone: 'alarm',
  });
});

import { expect, test } from 'vitest';
import { acceptedEncoding } from './accept-encoding.ts';

const both = { br: true, gzip: true };

test.each([
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip', 'gzip'],
  ['GZIP;q=0.5', 'gzip'],
  ['br;q=0, gzip', 'gzip'],
  ['br; q=0.000, gzip; q=0', null],
  ['identity', null],
  ['brotli', null],
  [undefined, null],
])('%s', (header, expected) => {
  expect(acceptedEncoding(header, both)).toBe(expected);
});

test('only what there is a copy of', () => {
  expect(acceptedEncoding('br, gzip', { gzip: true })).toBe('gzip');
  expect(acceptedEncoding('br, gzip', {})).toBeNull();
});

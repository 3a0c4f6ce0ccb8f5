import { describe, expect, it } from 'vitest';
import { readContentRange } from './content-range.ts';

describe('readContentRange', () => {
  it.each([
    ['bytes 0-9/100', { first: 0, last: 9, total: 100 }],
    ['Bytes 5-5/*', { first: 5, last: 5, total: null }],
    ['bytes=0-9/100', { first: 0, last: 9, total: 100 }],
    ['bytes */100', null],
    ['bytes 9-0/100', null],
    ['bytes 90-100/100', null],
    ['items 0-9/100', null],
    ['', null],
  ])('reads %j', (text, range) => {
    expect(readContentRange(text)).toEqual(range);
  });
});

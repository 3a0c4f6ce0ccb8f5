import { expect, it } from 'vitest';
import { asError, errorMessage } from './error-message.ts';

it('says what was thrown, be it an error or not', () => {
  expect(errorMessage(new RangeError('too far'))).toBe('too far');
  expect(errorMessage('a bare word')).toBe('a bare word');
  expect(errorMessage(undefined)).toBe('undefined');
});

it('leaves an error as it is, and makes one of anything else', () => {
  const error = new RangeError('too far');
  expect(asError(error)).toBe(error);
  expect(asError('a bare word')).toEqual(new Error('a bare word'));
});

import { expect, it } from 'vitest';
import { spokenUntil } from './sentences.ts';

it('waits for the end of a sentence', () => {
  expect(spokenUntil('Once upon a time', 0, false)).toBe(0);
  const text = 'Lily ran. She ';
  expect(text.slice(0, spokenUntil(text, 0, false))).toBe('Lily ran. ');
});

it('waits for the blank after a full stop, since a number may go on', () => {
  expect(spokenUntil('It costs 3.', 0, false)).toBe(0);
});

it('goes on from where it was, several sentences at once', () => {
  const text = 'One. Two. "Three!" Fo';
  const first = spokenUntil('One. ', 0, false);
  expect(text.slice(first, spokenUntil(text, first, false))).toBe('Two. "Three!" ');
});

it('ends Chinese sentences, which have no blank after them', () => {
  expect(spokenUntil('你好。我', 0, false)).toBe(3);
});

it('takes what is left when the answer is finished', () => {
  expect(spokenUntil('and then', 0, true)).toBe(8);
});

it('cuts a sentence that does not end', () => {
  const text = 'so '.repeat(100);
  expect(spokenUntil(text, 0, false)).toBe(300);
});

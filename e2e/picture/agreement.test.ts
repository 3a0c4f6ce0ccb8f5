import { expect, it } from 'vitest';
import { agree, disagreement } from './agreement.ts';

const times = (msPerToken: number, predictedMsPerToken: number) => ({
  msPerToken,
  predictedMsPerToken,
});

it('holds within 15 % of the prediction, either way', () => {
  expect(agree(times(4, 4))).toBe(true);
  expect(agree(times(4.59, 4))).toBe(true);
  expect(agree(times(3.41, 4))).toBe(true);
  expect(agree(times(4.61, 4))).toBe(false);
  expect(agree(times(3.39, 4))).toBe(false);
  expect(agree(times(11.7, 3.8))).toBe(false);
});

it('does not hold where nothing was measured or predicted', () => {
  expect(agree(times(NaN, 4))).toBe(false);
  expect(agree(times(4, 0))).toBe(false);
});

it('says both figures where it does not hold', () => {
  const sentence = disagreement(times(11.7, 3.8)).replaceAll('\u00a0', ' ');
  expect(sentence).toContain('A token took 11.7 ms where 3.8 ms was predicted');
});

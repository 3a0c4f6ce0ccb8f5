import { expect, it } from 'vitest';
import { deviceColour } from './device-colour.ts';

it('gives the host ink and the first seven devices colours of their own', () => {
  const fills = ['host', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => deviceColour(id).fill);
  expect(new Set(fills).size).toBe(8);
  expect(fills[0]).toBe('var(--device-host)');
  expect(fills[1]).toBe('var(--device-0)');
});

it('goes round from the eighth on, also past the letter z', () => {
  expect(deviceColour('h')).toEqual(deviceColour('a'));
  // z is the 26th, aa the 27th: (27 - 1) mod 7 = 5.
  expect(deviceColour('aa').fill).toBe('var(--device-5)');
});

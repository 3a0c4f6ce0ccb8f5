import { expect, it } from 'vitest';
import { ringArcs } from './ring.ts';

const ring = { centre: 100, radius: 80, gapDegrees: 4 };

it('starts at twelve o’clock and runs clockwise', () => {
  const [first, second] = ringArcs([1, 1], ring);
  expect(first.middle).toEqual({ x: 180, y: 100 });
  expect(second.middle).toEqual({ x: 20, y: 100 });
});

it('gives the larger share the longer arc', () => {
  const [large] = ringArcs([3, 1], ring);
  expect(large.path).toContain(' 1 1 ');
});

it('closes the circle for one share', () => {
  const [only] = ringArcs([5], ring);
  expect(only.path).toMatch(/^M100 20A80 80 0 1 1 99\.\d+ 20$/);
});

it('draws a sliver where the share is nothing, and equal parts where all are', () => {
  const [, nothing] = ringArcs([1, 0], ring);
  expect(nothing.path).not.toMatch(/NaN/);
  const equal = ringArcs([0, 0], ring);
  expect(equal[0].middle).toEqual({ x: 180, y: 100 });
});

import { expect, it } from 'vitest';
import { memorySteps, nearestStep } from './memory-steps.ts';

it('finds the nearest step by ratio', () => {
  expect(memorySteps[nearestStep(600e6)]).toBe(512e6);
  expect(memorySteps[nearestStep(2 * 1024 ** 3)]).toBe(2e9);
});

it('ends at either end of the scale', () => {
  expect(nearestStep(0)).toBe(0);
  expect(nearestStep(1e15)).toBe(memorySteps.length - 1);
});

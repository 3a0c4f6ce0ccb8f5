import { expect, it } from 'vitest';
import { easings, planName } from './reasons.ts';

it('names plans for people', () => {
  expect(planName('solo')).toBe('The host alone');
  expect(planName('without b')).toBe('Without b');
});

it('says what would help, most first, and leaves out what would not', () => {
  const reasons = {
    alternatives: [],
    limits: [
      { kind: 'link', where: 'host → a', gainMs: 2 },
      { kind: 'memory', where: 'a', gainMs: 0.01 },
      { kind: 'speed', where: 'a', gainMs: 1 },
    ] as const,
    oneMore: [{ device: 'b', gainMs: 3 }],
  };
  expect(easings({ ...reasons, limits: [...reasons.limits] })).toEqual([
    { what: 'one more device like b', gainMs: 3 },
    { what: 'the link host → a twice as good', gainMs: 2 },
    { what: 'a twice as fast', gainMs: 1 },
  ]);
});

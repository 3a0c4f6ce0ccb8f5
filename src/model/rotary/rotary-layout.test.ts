import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHalfRotation } from './rotary-layout.ts';

describe('toHalfRotation', () => {
  it('puts the first of every pair before the second of every pair, head by head', () => {
    const rows = Uint8Array.of(0, 1, 2, 3, 10, 11, 12, 13);
    expect([...toHalfRotation(rows, 4, 1)]).toEqual([0, 2, 1, 3, 10, 12, 11, 13]);
  });

  it('moves whole rows', () => {
    const rows = Uint8Array.of(1, 1, 2, 2, 3, 3, 4, 4);
    expect([...toHalfRotation(rows, 4, 2)]).toEqual([1, 1, 3, 3, 2, 2, 4, 4]);
  });

  it('keeps every dot product of rotated queries and keys', () => {
    // Attention scores are the same with either layout.
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 16, maxLength: 16 }),
        (numbers) => {
          const head = (from: number) => Float32Array.from(numbers.slice(from, from + 8));
          const halves = (values: Float32Array) =>
            new Float32Array(toHalfRotation(new Uint8Array(values.buffer), 8, 4).buffer);
          const [query, key] = [head(0), head(8)];
          const pairs = dot(rotatePairs(query, 5), rotatePairs(key, 2));
          const byHalves = dot(rotateHalves(halves(query), 5), rotateHalves(halves(key), 2));
          expect(byHalves).toBeCloseTo(pairs, 3);
        },
      ),
    );
  });

  it('refuses part of a head', () => {
    expect(() => toHalfRotation(new Uint8Array(6), 4, 1)).toThrow(/whole heads/);
  });
});

function dot(a: number[], b: number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function rotate(x: number, y: number, angle: number): [number, number] {
  return [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)];
}

function rotatePairs(head: Float32Array, position: number): number[] {
  return Array.from({ length: head.length / 2 }, (_, i) =>
    rotate(head[2 * i], head[2 * i + 1], position / 10 ** i),
  ).flat();
}

function rotateHalves(head: Float32Array, position: number): number[] {
  const half = head.length / 2;
  return Array.from({ length: half }, (_, i) =>
    rotate(head[i], head[i + half], position / 10 ** i),
  ).flat();
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dequantise } from './dequantise.ts';
import { blockLayout, dtypes } from './dtype.ts';
import { firstNotFinite } from './finite-check.ts';

const bad = (values: Float32Array): number => values.findIndex((value) => !Number.isFinite(value));

describe('firstNotFinite', () => {
  for (const dtype of dtypes)
    it(`agrees with the values of ${dtype}, whatever the bytes`, () => {
      const { blockSize, blockBytes } = blockLayout[dtype];
      const bytes = fc.uint8Array({ minLength: 6 * blockBytes, maxLength: 6 * blockBytes });
      // Only bytes of all ones fill an exponent; random bytes rarely do.
      const withOnes = fc.tuple(bytes, fc.nat(6 * blockBytes - 2)).map(([data, at]) => {
        data.fill(0xff, at, at + 2);
        return data;
      });
      fc.assert(
        fc.property(fc.oneof(bytes, withOnes), (data) => {
          const exact = bad(dequantise(dtype, data));
          const found = firstNotFinite(dtype, data);
          // The place of a quantisation block is that of its first weight.
          if (exact >= 0) expect(found).toBe(exact - (exact % blockSize));
          // A scale that is not finite, times integers that are zero or not, leaves no weight finite.
          else expect(found).toBe(-1);
        }),
        { numRuns: 300 },
      );
    });

  it('looks at bytes wherever in their buffer they begin, and at an odd last half', () => {
    const buffer = new Uint8Array(11);
    buffer.set([0xff, 0x7f], 9);
    expect(firstNotFinite('F16', buffer.subarray(1))).toBe(4);
    expect(firstNotFinite('F16', buffer.subarray(1, 9))).toBe(-1);
  });
});

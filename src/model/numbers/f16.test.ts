import { describe, expect, it } from 'vitest';
import { f16ToF32, f16Values, f32ToF16, packByArithmetic, packF16, unpackF16 } from './f16.ts';

const every = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

function isNan(bits: number): boolean {
  return (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
}

describe('half precision', () => {
  it('takes every half to f32 and back unchanged', () => {
    const values = unpackF16(every);
    const packed = new Uint16Array(values.length);
    packByArithmetic(values, packed);
    for (const bits of every) {
      if (isNan(bits)) {
        expect(isNan(packed[bits]) && Number.isNaN(f16Values()[bits])).toBe(true);
        continue;
      }
      if (packed[bits] !== bits) expect.fail(`${bits} came back as ${packed[bits] ?? 'nothing'}`);
    }
    expect(packF16(values.filter((value) => !Number.isNaN(value)))).toEqual(
      every.filter((bits) => !isNan(bits)),
    );
  });

  it('knows the landmarks', () => {
    expect(f16ToF32(0x3c00)).toBe(1);
    expect(f16ToF32(0x0001)).toBe(2 ** -24);
    expect(f16ToF32(0x7bff)).toBe(65504);
    expect(Object.is(f16ToF32(0x8000), -0)).toBe(true);
    expect(f16ToF32(0xfc00)).toBe(-Infinity);
  });

  it('rounds every midpoint between neighbours to the even one, and past it up', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = f16ToF32(bits);
      const middle = (low + f16ToF32(bits + 1)) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (f32ToF16(middle) !== even)
        expect.fail(`the midpoint after ${bits} was not rounded to even`);
      if (f32ToF16(-middle) !== (even | 0x8000)) expect.fail(`nor was its negative`);
      const above = nextFloat(middle);
      if (f32ToF16(above) !== bits + 1)
        expect.fail(`just past the midpoint after ${bits} fell down`);
      const below = -nextFloat(-middle, -1);
      if (f32ToF16(below) !== bits) expect.fail(`just before the midpoint after ${bits} rose`);
    }
  });

  it('carries past the largest half to infinity and below the smallest to zero', () => {
    expect(f32ToF16(65519.996)).toBe(0x7bff);
    expect(f32ToF16(65520)).toBe(0x7c00);
    expect(f32ToF16(-1e30)).toBe(0xfc00);
    expect(f32ToF16(2 ** -25)).toBe(0);
    expect(f32ToF16(-(2 ** -26))).toBe(0x8000);
    expect(f32ToF16(nextFloat(2 ** -25))).toBe(1);
  });

  it('gives the same for long arrays as one by one', () => {
    const source = Float32Array.from(
      { length: 10_001 },
      (_, i) => Math.sin(i) * 10 ** ((i % 12) - 6),
    );
    const packed = new Uint16Array(source.length);
    packByArithmetic(source, packed);
    expect([...packed]).toEqual([...source].map(f32ToF16));
  });
});

/** The next f32 away from zero (`by` = 1) or towards it (`by` = -1, for negative values given). */
function nextFloat(value: number, by: 1 | -1 = 1): number {
  const floats = Float32Array.of(value);
  const words = new Uint32Array(floats.buffer);
  words[0] = words[0] + by;
  return floats[0];
}

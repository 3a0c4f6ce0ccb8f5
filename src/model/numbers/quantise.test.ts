import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dequantise } from './dequantise.ts';
import { quantise, type StorableDtype } from './quantise.ts';

const block = fc.float32Array({
  minLength: 32,
  maxLength: 32,
  noNaN: true,
  min: -1000,
  max: 1000,
});

function worst(dtype: StorableDtype, values: Float32Array): number {
  const back = dequantise(dtype, quantise(dtype, values));
  return values.reduce((most, value, i) => Math.max(most, Math.abs(value - (back[i] ?? NaN))), 0);
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

describe('quantise', () => {
  it('keeps Q8_0 within half a step, the step being max / 127', () => {
    fc.assert(
      fc.property(block, (values) => {
        // The scale itself is rounded to a half (1/2048), and below 2^-14 to a fixed step of 2^-24.
        const step = largest(values) / 127;
        expect(worst('Q8_0', values)).toBeLessThanOrEqual(
          step / 2 + largest(values) / 2048 + 127 * 2 ** -25,
        );
      }),
    );
  });

  it('keeps Q4_0 within one step, the step being max / 8', () => {
    fc.assert(
      fc.property(block, (values) => {
        const step = largest(values) / 8;
        expect(worst('Q4_0', values)).toBeLessThanOrEqual(
          step + largest(values) / 2048 + 8 * 2 ** -25,
        );
      }),
    );
  });

  it('gives back exactly what a type can hold', () => {
    const steps = Float32Array.from({ length: 32 }, (_, i) => (i === 0 ? -127 : i * 4));
    expect(worst('Q8_0', steps)).toBe(0);
    const nibbles = Float32Array.from({ length: 32 }, (_, i) => (i % 16) - 8);
    expect(worst('Q4_0', nibbles)).toBe(0);
    expect(worst('F32', Float32Array.of(Math.PI))).toBe(0);
    expect(worst('F16', Float32Array.of(0.5, -65504))).toBe(0);
    expect(worst('Q4_0', new Float32Array(32))).toBe(0);
  });

  it('writes the blocks that ggml writes', () => {
    const q8 = quantise(
      'Q8_0',
      Float32Array.from({ length: 32 }, (_, i) => i - 16),
    );
    // d = 16/127 = 0x3008 as a half; -16 → -127, 15 → round(119.06) = 119.
    expect([...q8.slice(0, 4), q8[33]]).toEqual([0x08, 0x30, 0x81, 0x89, 119]);
    const q4 = quantise(
      'Q4_0',
      Float32Array.from({ length: 32 }, (_, i) => i - 16),
    );
    // d = 2; low nibble of byte 0: -16/2 + 8.5 → 0; high nibble: 0/2 + 8.5 → 8.
    expect([...q4.slice(0, 3)]).toEqual([0x00, 0x40, 0x80]);
  });

  it('refuses half a block and a scale beyond half precision', () => {
    expect(() => quantise('Q8_0', new Float32Array(33))).toThrow(/blocks of 32 values, and 33/);
    expect(() => quantise('Q4_0', new Float32Array(32).fill(1e7))).toThrow(/half precision/);
  });
});

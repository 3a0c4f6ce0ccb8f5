import { describe, expect, it } from 'vitest';
import { dequantise } from '../model/numbers/dequantise.ts';
import { packF16 } from '../model/numbers/f16.ts';
import { quantise, type StorableDtype } from '../model/numbers/quantise.ts';
import type { StoredTensor } from './engine.ts';
import {
  quantisedBlocks,
  columnValues,
  f16Columns,
  int8Columns,
  stackValues,
} from './weight-layouts.ts';

function stored(dtype: StorableDtype, shape: [number, number]): StoredTensor {
  const values = Float32Array.from({ length: shape[0] * shape[1] }, () => Math.random() - 0.5);
  return { name: 'w', dtype, shape, data: quantise(dtype, values) };
}

describe('weights in blocks', () => {
  it.each([
    ['Q8_0', 8],
    ['Q4_0', 4],
  ] as const)('keep every bit of %s', (dtype, bits) => {
    const stack = [stored(dtype, [3, 64]), stored(dtype, [2, 64])];
    const { values, scales } = quantisedBlocks(stack, bits);
    const zero = 2 ** (bits - 1);
    const product = stack.flatMap(({ data }) => [...dequantise(dtype, data)]);
    product.forEach((weight, index) => {
      // MatMulNBits: lower bits first, value = (q - zero) * scale of its quantisation block.
      const byte = values[Math.floor((index * bits) / 8)];
      const q = bits === 8 ? byte : (byte >> (4 * (index % 2))) & 15;
      expect(scales[Math.floor(index / 32)] * (q - zero)).toBe(weight);
    });
  });

  it('are quantised from other types', () => {
    const tensor = stored('F32', [2, 32]);
    const { values, scales } = quantisedBlocks([tensor], 8);
    stackValues([tensor]).forEach((weight, index) => {
      const scale = scales[Math.floor(index / 32)];
      // Half a step, and the rounding of the scale to 16 bits: 127 steps of 2 ** -11.
      expect(Math.abs(scale * (values[index] - 128) - weight)).toBeLessThan(scale * 0.57);
    });
  });
});

it('int8 columns have one scale for each output', () => {
  const stack = [stored('F32', [40, 5]), stored('F16', [2, 5])];
  const { values, scales } = int8Columns(stack);
  stackValues(stack).forEach((weight, index) => {
    const output = Math.floor(index / 5);
    const value = values[(index % 5) * 42 + output] * scales[output];
    expect(Math.abs(value - weight)).toBeLessThanOrEqual(scales[output] * 0.5 + 1e-7);
  });
});

it('columns are the values transposed, whatever the number of outputs', () => {
  const stack = [stored('F32', [35, 70]), stored('F16', [3, 70])];
  const rows = stackValues(stack);
  const columns = columnValues(stack);
  const halves = f16Columns(stack);
  const exact = packF16(rows);
  for (let output = 0; output < 38; output++)
    for (let input = 0; input < 70; input++) {
      expect(columns[input * 38 + output]).toBe(rows[output * 70 + input]);
      expect(halves[input * 38 + output]).toBe(exact[output * 70 + input]);
    }
});

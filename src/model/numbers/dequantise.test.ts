import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { dequantise } from './dequantise.ts';
import { blockLayout, dtypes } from './dtype.ts';
import { iq2XxsGrid } from './iq2xxs-grid.ts';

const BlocksSchema = v.array(
  v.object({
    type: v.string(),
    blockSize: v.number(),
    blockBytes: v.number(),
    hex: v.string(),
    values: v.array(v.number()),
  }),
);
const TablesSchema = v.object({ grid: v.array(v.string()), signs: v.array(v.number()) });

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'));
}

const reference = v.parse(BlocksSchema, fixture('gguf-blocks.json'));

describe('dequantise', () => {
  it('has reference blocks for every block type', () => {
    const covered = reference.map(({ type }) => type.toUpperCase()).sort();
    expect(covered).toEqual(dtypes.filter((dtype) => blockLayout[dtype].blockSize > 1).sort());
  });

  for (const { type, blockSize, blockBytes, hex, values } of reference)
    it(`reads ${type} blocks as ggml does`, () => {
      const dtype = v.parse(v.picklist(dtypes), type.toUpperCase());
      expect(blockLayout[dtype]).toEqual({ blockSize, blockBytes });
      const actual = dequantise(dtype, Uint8Array.from(Buffer.from(hex, 'hex')));
      expect(actual.length).toBe(values.length);
      // ggml multiplies in single precision, in its own order: a few units in the last place.
      for (const [i, expected] of values.entries())
        expect(Math.abs((actual[i] ?? NaN) - expected)).toBeLessThanOrEqual(
          Math.abs(expected) * 4e-7 + 1e-9,
        );
    });

  it('holds the published IQ2_XXS lattice', () => {
    const { grid } = v.parse(TablesSchema, fixture('iq2xxs-tables.json'));
    const published = grid.flatMap((hex) => [...Buffer.from(hex, 'hex').reverse()]);
    expect([...iq2XxsGrid]).toEqual(published);
  });

  it('reads F32, F16 and BF16 from any alignment', () => {
    const bytes = Uint8Array.from([9, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]);
    expect([...dequantise('F32', bytes.subarray(1))]).toEqual([1.5, -2]);
    expect([...dequantise('BF16', Uint8Array.from([7, 0xc0, 0x3f, 0, 0xc0]).subarray(1))]).toEqual([
      1.5, -2,
    ]);
    expect([...dequantise('F16', Uint8Array.from([7, 0, 0x3e, 0, 0xc0]).subarray(1))]).toEqual([
      1.5, -2,
    ]);
  });

  it('refuses half a block and a wrong length', () => {
    expect(() => dequantise('Q8_0', new Uint8Array(35))).toThrow(/blocks of 34 bytes, and 35/);
    expect(() => dequantise('F32', new Uint8Array(8), new Float32Array(3))).toThrow(/2 values/);
  });
});

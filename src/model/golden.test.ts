import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tinyConfig } from './fixtures/tiny-manifest.ts';
import {
  goldenBytes,
  goldenFor,
  goldenInputs,
  goldenRounding,
  packGolden,
  readGolden,
  unpackGolden,
} from './golden.ts';

/** The smallest f32 above 0. */
const smallest = 2 ** -149;

describe('packGolden', () => {
  it('keeps every value to half a step of an f16, however large the largest is', () => {
    const [min, max] = [-1e30, 1e30].map(Math.fround);
    const values = fc.array(fc.float({ min, max, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, (numbers) => {
        const state = Float32Array.from(numbers);
        const kept = unpackGolden(packGolden(state), state.length);
        const largest = Math.max(...state.map(Math.abs));
        // Below 2^-29 of the largest value an f16 has fewer digits. What it loses there would be lost in a
        // sum anyway.
        for (const [i, value] of state.entries())
          expect(Math.abs(kept[i] - value)).toBeLessThanOrEqual(
            Math.abs(value) * goldenRounding + largest * 2 ** -39 + smallest,
          );
      }),
    );
  });

  it('refuses what no layer may put out', () => {
    expect(() => packGolden(Float32Array.of(0, Infinity))).toThrow(/not finite/);
    expect(() => packGolden(Float32Array.of(NaN))).toThrow(/not finite/);
  });
});

describe('goldenInputs', () => {
  it('has a short input and one past 32 positions, within context and vocabulary', () => {
    const inputs = goldenInputs({ ...tinyConfig, max_position_embeddings: 512, vocab_size: 999 });
    expect(inputs.map((ids) => ids.length)).toEqual([2, 34]);
    expect(inputs.every((ids) => ids[0] === tinyConfig.bos_token_id)).toBe(true);
    expect(new Set(inputs.flat()).size).toBeGreaterThan(30);
    expect(Math.max(...inputs.flat())).toBeLessThan(999);
    expect(goldenInputs(tinyConfig).map((ids) => ids.length)).toEqual([2, 16]);
  });
});

describe('readGolden', () => {
  it('finds every record of a file', () => {
    const inputs = [
      [1, 2, 3],
      [1, 2],
    ];
    const layers = tinyConfig.num_hidden_layers + 2;
    const records = Array.from({ length: layers }, (_, layer) =>
      inputs.map(({ length }, input) => {
        const count =
          layer === layers - 1 ? tinyConfig.vocab_size : length * tinyConfig.hidden_size;
        return new Float32Array(count).fill(layer + input / 8);
      }),
    );
    const parts = records.flat().map(packGolden);
    const file = new Uint8Array(goldenBytes(tinyConfig, inputs));
    let end = 0;
    for (const part of parts) {
      file.set(part, end);
      end += part.length;
    }
    expect(end).toBe(file.length);
    for (const [layer, ofLayer] of records.entries())
      for (const [input, record] of ofLayer.entries())
        expect(readGolden(file, tinyConfig, inputs, layer, input)).toEqual(record);
  });
});

describe('goldenFor', () => {
  it('gives states only where longrope rotates as it did when they were recorded', () => {
    const golden = { path: 'golden.bin', inputs: [[1, 2], Array<number>(34).fill(1)] };
    const rope_scaling = {
      rope_type: 'longrope' as const,
      short_factor: [1, 1],
      long_factor: [2, 2],
      original_max_position_embeddings: 4096,
      attention_factor: 1,
    };
    const longrope = { config: { ...tinyConfig, rope_scaling }, golden };
    expect(goldenFor(longrope, 4096)).toBe(golden);
    expect(goldenFor(longrope, 4097)).toBeNull();
    const early = { ...rope_scaling, original_max_position_embeddings: 16 };
    expect(goldenFor({ ...longrope, config: { ...tinyConfig, rope_scaling: early } }, 4097)).toBe(
      golden,
    );
    expect(goldenFor({ config: tinyConfig, golden }, 4097)).toBe(golden);
    expect(goldenFor({ config: tinyConfig }, 4097)).toBeNull();
  });
});

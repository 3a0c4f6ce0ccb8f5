import { describe, expect, it } from 'vitest';
import type { RopeScaling } from '../config.ts';
import { rotaryAmplitude, rotaryFrequencies } from './rotary-frequencies.ts';

const plain = { head_dim: 8, rope_theta: 10_000 };
const contextLength = 64;

describe('rotaryFrequencies', () => {
  it('falls geometrically from one radian a position', () => {
    const expected = [1, 0.1, 0.01, 0.001];
    for (const [pair, frequency] of rotaryFrequencies(plain, contextLength).entries())
      expect(frequency).toBeCloseTo(expected[pair], 12);
  });

  it('slows every pair alike, or each by its own factor', () => {
    const scaled = (rope_scaling: RopeScaling): Float64Array =>
      rotaryFrequencies({ ...plain, rope_scaling }, contextLength);
    const linear = scaled({ rope_type: 'linear', factor: 4 });
    expect(linear[1]).toBeCloseTo(0.025, 12);
    const factors = [1, 2, 4, 8];
    const own = scaled({ rope_type: 'per_pair', factors });
    expect([...own].map((frequency) => 1 / frequency)).toEqual([1, 20, 400, 8000]);
    expect(() => scaled({ rope_type: 'per_pair', factors: [1] })).toThrow(/1 factors for 4 pairs/);
  });

  it('keeps fast waves and slows slow ones as Llama 3 does', () => {
    // Llama 3.2 1B. Pair 0 turns 1304 times in the old context, pair 31 less than once.
    const rope_scaling = {
      rope_type: 'llama3',
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    } as const;
    const frequencies = rotaryFrequencies(
      { head_dim: 64, rope_theta: 500_000, rope_scaling },
      contextLength,
    );
    expect(frequencies[0]).toBe(1);
    expect(frequencies[31] * 32).toBeCloseTo(500_000 ** (-31 / 32), 15);
    // Pair 15: 8192 · 500000^(-15/32) / 2π = 2.77855 turns, so 0.592849 of it is kept.
    const full = 500_000 ** (-15 / 32);
    expect(frequencies[15] / full).toBeCloseTo(0.592849 + 0.407151 / 32, 6);
  });

  it('rotates a part of a head where a model says so', () => {
    const half = rotaryFrequencies({ ...plain, partial_rotary_factor: 0.5 }, contextLength);
    expect([...half]).toEqual([1, 0.01]);
  });

  it('has factors for short and for long contexts as Phi-3 does', () => {
    const rope_scaling: RopeScaling = {
      rope_type: 'longrope',
      short_factor: [1, 1, 1, 2],
      long_factor: [1, 2, 4, 8],
      original_max_position_embeddings: 32,
      attention_factor: 1.25,
    };
    const figures = { ...plain, rope_scaling };
    const periods = (length: number): number[] =>
      [...rotaryFrequencies(figures, length)].map((frequency) => Math.round(1 / frequency));
    expect(periods(32)).toEqual([1, 10, 100, 2000]);
    expect(periods(33)).toEqual([1, 20, 400, 8000]);
    expect(rotaryAmplitude(figures)).toBe(1.25);
    expect(rotaryAmplitude(plain)).toBe(1);
  });
});

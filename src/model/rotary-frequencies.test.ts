import { describe, expect, it } from 'vitest';
import { rotaryFrequencies } from './rotary-frequencies.ts';

const plain = { head_dim: 8, rope_theta: 10_000 };

describe('rotaryFrequencies', () => {
  it('falls geometrically from one radian a position', () => {
    const expected = [1, 0.1, 0.01, 0.001];
    for (const [pair, frequency] of rotaryFrequencies(plain).entries())
      expect(frequency).toBeCloseTo(expected[pair], 12);
  });

  it('slows every pair alike, or each by its own factor', () => {
    const linear = rotaryFrequencies({
      ...plain,
      rope_scaling: { rope_type: 'linear', factor: 4 },
    });
    expect(linear[1]).toBeCloseTo(0.025, 12);
    const factors = [1, 2, 4, 8];
    const own = rotaryFrequencies({ ...plain, rope_scaling: { rope_type: 'per_pair', factors } });
    expect([...own].map((frequency) => 1 / frequency)).toEqual([1, 20, 400, 8000]);
    expect(() =>
      rotaryFrequencies({ ...plain, rope_scaling: { rope_type: 'per_pair', factors: [1] } }),
    ).toThrow(/1 factors for 4 pairs/);
  });

  it('keeps fast waves and slows slow ones as Llama 3 does', () => {
    // Llama 3.2 1B. Pair 0 turns 1304 times in the old context, pair 31 less than once.
    const frequencies = rotaryFrequencies({
      head_dim: 64,
      rope_theta: 500_000,
      rope_scaling: {
        rope_type: 'llama3',
        factor: 32,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
    });
    expect(frequencies[0]).toBe(1);
    expect(frequencies[31] * 32).toBeCloseTo(500_000 ** (-31 / 32), 15);
    // Pair 15: 8192 · 500000^(-15/32) / 2π = 2.77855 turns, so 0.592849 of it is kept.
    const full = 500_000 ** (-15 / 32);
    expect(frequencies[15] / full).toBeCloseTo(0.592849 + 0.407151 / 32, 6);
  });
});

/** Computes the frequencies of rotary position embedding (arXiv 2104.09864), scaled as a model's config says. */
import type { ModelConfig, RopeScaling } from '../config.ts';

export type RotaryFigures = Pick<ModelConfig, 'head_dim' | 'rope_theta'> &
  Partial<Pick<ModelConfig, 'rope_scaling' | 'partial_rotary_factor'>>;

/**
 * Radians per position for every rotated pair of a head, fastest first: head_dim / 2 pairs, or fewer if only
 * a part of a head is rotated.
 *
 * Llama 3's scaling is that of its reference code (`apply_scaling` in `llama/model.py`): slow waves are
 * slowed by `factor`, fast ones kept, others blended. Phi-3's (arXiv 2402.13753) has one set of factors for
 * short contexts and another for long ones.
 *
 * @param contextLength the most positions of a sequence, which chooses between Phi-3's two sets
 */
export function rotaryFrequencies(config: RotaryFigures, contextLength: number): Float64Array {
  const pairs = rotaryPairs(config);
  const scaling = config.rope_scaling ?? null;
  const frequencies = Float64Array.from(
    { length: pairs },
    (_, pair) => config.rope_theta ** (-pair / pairs),
  );
  const dividedBy = (factors: readonly number[]): Float64Array => {
    if (factors.length !== pairs)
      throw new Error(
        `the model's rotary scaling has ${factors.length} factors for ${pairs} pairs`,
      );
    return frequencies.map((frequency, pair) => frequency / factors[pair]);
  };
  if (scaling === null) return frequencies;
  switch (scaling.rope_type) {
    case 'linear':
      return frequencies.map((frequency) => frequency / scaling.factor);
    case 'per_pair':
      return dividedBy(scaling.factors);
    case 'longrope': {
      const isLong = contextLength > scaling.original_max_position_embeddings;
      return dividedBy(isLong ? scaling.long_factor : scaling.short_factor);
    }
    case 'llama3': {
      const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
      const context = scaling.original_max_position_embeddings;
      return frequencies.map((frequency) => {
        const turns = (context * frequency) / (2 * Math.PI);
        if (turns > high) return frequency;
        if (turns < low) return frequency / factor;
        const kept = (turns - low) / (high - low);
        return frequency * (kept + (1 - kept) / factor);
      });
    }
  }
}

/** The number of rotated pairs of dimensions in a head. */
export function rotaryPairs({
  head_dim: headDim,
  partial_rotary_factor: share = 1,
}: Pick<RotaryFigures, 'head_dim' | 'partial_rotary_factor'>): number {
  // A share that was made of two whole numbers gives them back in spite of rounding.
  return Math.floor((headDim * share + 1e-6) / 2);
}

/**
 * Why the scaling's lists cannot belong to this model, as a sentence's end; null if they can, or if there are
 * none.
 */
export function misfitOfFactors(config: RotaryFigures): string | null {
  const pairs = rotaryPairs(config);
  const wrong = factorLists(config.rope_scaling ?? null).find(
    ({ factors }) => factors.length !== pairs,
  );
  return wrong
    ? `has ${wrong.factors.length} ${wrong.name} of rotary frequencies, and rotates ${pairs} pairs of each head`
    : null;
}

function factorLists(scaling: RopeScaling | null): { name: string; factors: readonly number[] }[] {
  switch (scaling?.rope_type) {
    case 'per_pair':
      return [{ name: 'factors', factors: scaling.factors }];
    case 'longrope':
      return [
        { name: 'short factors', factors: scaling.short_factor },
        { name: 'long factors', factors: scaling.long_factor },
      ];
    case 'linear':
    case 'llama3':
    case undefined:
      return [];
  }
}

/** The factor of cos and sin of every angle. */
export function rotaryAmplitude({ rope_scaling: scaling }: RotaryFigures): number {
  return scaling?.rope_type === 'longrope' ? scaling.attention_factor : 1;
}

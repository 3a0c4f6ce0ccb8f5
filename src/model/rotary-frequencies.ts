/** The frequencies of rotary position embedding (arXiv 2104.09864), stretched as a model asks for. */
import type { ModelConfig } from './config.ts';

/**
 * Radians per position of every pair of a head, head_dim / 2 of them, fastest first.
 *
 * Llama 3's stretching is that of its reference code (`apply_scaling` in `llama/model.py`): slow waves are
 * slowed by `factor`, fast ones kept, with a blend between.
 */
export function rotaryFrequencies(
  config: Pick<ModelConfig, 'head_dim' | 'rope_theta'> & Partial<Pick<ModelConfig, 'rope_scaling'>>,
): Float64Array {
  const pairs = config.head_dim / 2;
  const scaling = config.rope_scaling ?? null;
  const frequencies = Float64Array.from(
    { length: pairs },
    (_, pair) => config.rope_theta ** (-pair / pairs),
  );
  if (scaling === null) return frequencies;
  switch (scaling.rope_type) {
    case 'linear':
      return frequencies.map((frequency) => frequency / scaling.factor);
    case 'per_pair':
      if (scaling.factors.length !== pairs)
        throw new Error(
          `the model's rotary scaling has ${scaling.factors.length} factors for ${pairs} pairs`,
        );
      return frequencies.map((frequency, pair) => frequency / scaling.factors[pair]);
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

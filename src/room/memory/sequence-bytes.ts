import type { ModelConfig } from '../../model/config.ts';

/** Keys and values, f32, of one layer for a sequence of full length. */
export function sequenceBytesPerLayer(config: ModelConfig, contextLength: number): number {
  return 2 * 4 * config.num_key_value_heads * config.head_dim * contextLength;
}

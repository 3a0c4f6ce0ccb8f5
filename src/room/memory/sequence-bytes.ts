import type { ModelConfig } from '../../model/config.ts';

/** Keys and values, f32, of one block for a sequence of full length. */
export function sequenceBytesPerBlock(config: ModelConfig, contextLength: number): number {
  return 2 * 4 * config.num_key_value_heads * config.head_dim * contextLength;
}

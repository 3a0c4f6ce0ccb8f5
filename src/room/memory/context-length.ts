/** How long a conversation may become. Every plan promises the memory that its keys and values take then. */
import type { ModelConfig } from '../../model/config.ts';

/** Models allow up to a million tokens, which would take more memory than their weights. */
export const usualContextLength = 4096;

/** @param wanted null for the model's own length, as far as it is a usual one */
export function contextLengthOf(
  { max_position_embeddings: most }: Pick<ModelConfig, 'max_position_embeddings'>,
  wanted: number | null,
): number {
  return Math.min(most, wanted ?? usualContextLength);
}

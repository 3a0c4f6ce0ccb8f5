/**
 * Reads how a GGUF file stretches rotary positions, as llama.cpp does (`src/llama-model.cpp`: `load_hparams`
 * and `get_rope_factors`).
 */
import type { RopeScaling } from '../../model/config.ts';
import type { Metadata } from './gguf-metadata.ts';

/** Lists of divisors of the rotary frequencies, where the file has them as tensors. */
export interface RotaryFactors {
  /** `rope_freqs.weight`. */
  perPair: number[] | null;
  /** `rope_factors_short.weight` and `rope_factors_long.weight`. */
  short: number[] | null;
  long: number[] | null;
}

export interface GgufRotaryFigures {
  architecture: string;
  contextLength: number;
  factors: RotaryFactors;
}

/** @throws Error that names a way of stretching that is not supported, or a list that is missing */
export function ggufRotaryScaling(
  metadata: Metadata,
  { architecture, contextLength, factors }: GgufRotaryFigures,
  path: string,
): RopeScaling | null {
  const number = (name: string): number | undefined =>
    metadata.number(`${architecture}.rope.${name}`);
  const hasLists = factors.short !== null || factors.long !== null;
  const type =
    metadata.text(`${architecture}.rope.scaling.type`) ?? (hasLists ? 'longrope' : 'linear');
  if (!['none', 'linear', 'longrope'].includes(type))
    throw new Error(
      `${path} stretches its context by "${type}", not supported here; linear, longrope and per-pair factors are`,
    );
  // Files of 2023 have the factor under another key.
  const stated = number('scaling.factor') ?? number('scale_linear') ?? 0;
  if (!(stated >= 0 && stated < Infinity))
    throw new Error(`${path} cannot be right: its rotary scaling has the factor ${stated}`);
  const factor = type === 'none' || stated === 0 ? 1 : stated;
  const attentionFactor = number('scaling.attn_factor') ?? 1;
  const times = (list: readonly number[]): number[] => list.map((value) => value * factor);

  if (hasLists || type === 'longrope') {
    const { short, long } = factors;
    if (!short || !long)
      throw new Error(
        `${path} stretches its context by "longrope" and lacks ${missingLists(factors)}: ` +
          'its rotary frequencies cannot be known; take another GGUF file of the model, or the original',
      );
    return {
      rope_type: 'longrope',
      short_factor: times(short),
      long_factor: times(long),
      original_max_position_embeddings: number('scaling.original_context_length') ?? contextLength,
      attention_factor: attentionFactor,
    };
  }
  if (attentionFactor !== 1)
    throw new Error(
      `${path} enlarges rotary angles by ${attentionFactor} (rope.scaling.attn_factor) without longrope, ` +
        'which is not supported here',
    );
  if (factors.perPair) return { rope_type: 'per_pair', factors: times(factors.perPair) };
  return factor === 1 ? null : { rope_type: 'linear', factor };
}

function missingLists({ short, long }: RotaryFactors): string {
  return [
    ...(short ? [] : ['rope_factors_short.weight']),
    ...(long ? [] : ['rope_factors_long.weight']),
  ].join(' and ');
}

/** What was read of a model: as much as its files tell, also where they are refused as a whole. */
import type { ModelConfig } from '../../../model/config.ts';
import type { ManifestSpecialTokens } from '../../../model/manifest.ts';
import type { Tokenizer } from '../../../model/text/tokenizer.ts';
import type { ModelDescription } from '../description.ts';

/** Everything that is null could not be read, or is not there. */
export interface ModelFacts {
  kind: ModelDescription['kind'];
  family: string | null;
  /** Checked, as the engine computes by it. */
  config: ModelConfig | null;
  /** What the files say of themselves where the model does not open, or is not there whole; these come before `config`. */
  figures: Partial<
    Pick<ModelDescription, 'layers' | 'hiddenSize' | 'vocabularySize' | 'contextLength'>
  >;
  weights: ModelDescription['weights'];
  bytes: number | null;
  tokenizer: Tokenizer | null;
  /** What the files say of the tokenizer; `bos` and `addsBos` are null where only the tokenizer itself tells. */
  tokenizerKind: NonNullable<ModelDescription['tokenizer']>;
  /** Ids of the tokens that end an answer. */
  stopIds: readonly number[] | null;
  chatTemplate: string | null;
  /** What `bos_token` and its kin are in a template. */
  specialTokens: ManifestSpecialTokens;
  /** Under the names of `generation_config.json`. */
  sampling: Readonly<Record<string, number | undefined>>;
  refusal: string | null;
}

export function noFacts(kind: ModelDescription['kind']): ModelFacts {
  return {
    kind,
    family: null,
    config: null,
    figures: {},
    weights: null,
    bytes: null,
    tokenizer: null,
    tokenizerKind: tokenizerOfKind(null),
    stopIds: null,
    chatTemplate: null,
    specialTokens: {},
    sampling: {},
    refusal: null,
  };
}

/** Of a tokenizer that says the rest itself. */
export function tokenizerOfKind(kind: string | null): ModelFacts['tokenizerKind'] {
  return { kind, pre: null, bos: null, addsBos: null };
}

/** Bytes of each stored type, the largest share first. */
export function weightsByType(
  tensors: Iterable<{ dtype: string; bytes: number }>,
): { type: string; bytes: number }[] {
  const sums = new Map<string, number>();
  for (const { dtype, bytes } of tensors) sums.set(dtype, (sums.get(dtype) ?? 0) + bytes);
  return [...sums]
    .map(([type, bytes]) => ({ type, bytes }))
    .sort((a, b) => b.bytes - a.bytes || (a.type < b.type ? -1 : 1));
}

/** Turns a GGUF file's metadata into a model config. */
import * as v from 'valibot';
import { maxBlocks, ModelConfigSchema, type ModelConfig } from '../../model/config.ts';
import { misfitOfFactors } from '../../model/rotary/rotary-frequencies.ts';
import { traitsByType } from '../../model/traits.ts';
import { ggufFamily, type GgufFamily } from './gguf-families.ts';
import type { Metadata } from './gguf-metadata.ts';
import { ggufRotaryScaling, type RotaryFactors } from './gguf-rotary.ts';
import { stopTokens } from './gguf-stop-tokens.ts';

export interface GgufFacts {
  vocabSize: number;
  /** False if the head uses the embedding's tensor. */
  hasOutput: boolean;
  rotaryFactors: RotaryFactors;
  hasAttentionBias: boolean;
  hasFeedForwardBias: boolean;
}

/** The figures of a file, without the prefix of their keys. */
interface Figures {
  required: (key: string) => number;
  optional: (key: string) => number | undefined;
}

/** @throws Error that names the unsupported architecture, or the metadata that is missing */
export function ggufConfig(metadata: Metadata, facts: GgufFacts, path: string): ModelConfig {
  const family = ggufFamily(metadata, path);
  const { architecture, computesAs } = family;
  const traits = traitsByType[computesAs];
  const figures = figuresOf(metadata, architecture, path);
  const { required, optional } = figures;
  const heads = required('attention.head_count');
  const hidden = required('embedding_length');
  const headDim = optional('attention.key_length') ?? hidden / heads;
  const valueDim = optional('attention.value_length') ?? headDim;
  if (valueDim !== headDim)
    throw new Error(
      `${path} has values of ${valueDim} dimensions beside keys of ${headDim}, which is not supported here`,
    );
  const contextLength = required('context_length');
  const rotary = { architecture, contextLength, factors: facts.rotaryFactors };
  const result = v.safeParse(
    ModelConfigSchema,
    {
      model_type: computesAs,
      hidden_size: hidden,
      intermediate_size: required('feed_forward_length'),
      num_hidden_layers: required('block_count'),
      num_attention_heads: heads,
      num_key_value_heads: optional('attention.head_count_kv') ?? heads,
      head_dim: headDim,
      vocab_size: facts.vocabSize,
      max_position_embeddings: contextLength,
      rms_norm_eps: required('attention.layer_norm_rms_epsilon'),
      hidden_act: traits.activation,
      rope_theta: optional('rope.freq_base') ?? 10_000,
      rope_scaling: ggufRotaryScaling(metadata, rotary, path),
      ...rotatedShare(figures, headDim, family, path),
      tie_word_embeddings: !facts.hasOutput,
      attention_bias:
        traits.attentionBias === 'always' ||
        (traits.attentionBias === 'optional' && facts.hasAttentionBias),
      ...(traits.mlpBias && facts.hasFeedForwardBias && { mlp_bias: true }),
      ...windowOf(metadata, figures, family, path),
      ...ownFigures(metadata, figures, family),
      bos_token_id: metadata.number('tokenizer.ggml.bos_token_id') ?? null,
      eos_token_id: stopTokens(metadata),
    },
    { abortEarly: true },
  );
  if (!result.success) {
    const place = v.getDotPath(result.issues[0]) ?? 'its top level';
    throw new Error(`${path} cannot be right: ${place}, ${result.issues[0].message}`);
  }
  const misfit = misfitOfFactors(result.output);
  if (misfit !== null) throw new Error(`${path} cannot be right: it ${misfit}`);
  return result.output;
}

function figuresOf(metadata: Metadata, architecture: string, path: string): Figures {
  const optional = (key: string): number | undefined =>
    metadata.uniformNumber(`${architecture}.${key}`);
  return {
    optional,
    required: (key) => {
      const value = optional(key);
      if (value === undefined)
        throw new Error(`${path}: the metadata lacks ${architecture}.${key}`);
      return value;
    },
  };
}

function rotatedShare(
  { optional }: Figures,
  headDim: number,
  { mayRotatePart }: GgufFamily,
  path: string,
): Partial<ModelConfig> {
  const rotaryDim = optional('rope.dimension_count') ?? headDim;
  if (rotaryDim === headDim) return {};
  if (!mayRotatePart || rotaryDim > headDim)
    throw new Error(
      `${path} rotates ${rotaryDim} of the ${headDim} dimensions of a head, which is not supported here`,
    );
  return { partial_rotary_factor: rotaryDim / headDim };
}

/** Blocks of a period that attend to a window, and one that attends to all positions, if the file does not say. */
const usualPeriod = { gemma2: 2, gemma3: 6 };
const usualWindow = { gemma2: 4096, gemma3: 0 };

function windowOf(
  metadata: Metadata,
  { required, optional }: Figures,
  { architecture, computesAs }: GgufFamily,
  path: string,
): Partial<ModelConfig> {
  const stated = optional('attention.sliding_window');
  if (computesAs === 'mistral') return { sliding_window: stated || null };
  if (computesAs === 'olmo2' && stated)
    throw new Error(
      `${path} holds an OLMo 3 (olmo2 with a sliding window), which is not supported`,
    );
  if (computesAs !== 'gemma2' && computesAs !== 'gemma3') return { sliding_window: null };
  const window = stated ?? usualWindow[computesAs];
  const pattern = metadata.numberOrFlags(`${architecture}.attention.sliding_window_pattern`);
  const blocks = required('block_count');
  if (typeof pattern === 'object' && pattern.length !== blocks)
    throw new Error(
      `${path} cannot be right: its sliding_window_pattern is for ${pattern.length} blocks, and it has ${blocks}`,
    );
  const hasWindow = (block: number): boolean => {
    if (window === 0) return false;
    if (typeof pattern === 'object') return pattern[block];
    const period = pattern ?? usualPeriod[computesAs];
    return period === 0 || block % period < period - 1;
  };
  return {
    sliding_window: window === 0 || window >= required('context_length') ? null : window,
    layer_types: Array.from({ length: Math.min(blocks, maxBlocks) }, (_, block) =>
      hasWindow(block) ? 'sliding_attention' : 'full_attention',
    ),
  };
}

/** Figures that only some architectures have. */
function ownFigures(
  metadata: Metadata,
  { required, optional }: Figures,
  { architecture, computesAs }: GgufFamily,
): Partial<ModelConfig> {
  const blocks = required('block_count');
  const eachBlock = (rotates: (block: number) => boolean): (0 | 1)[] =>
    Array.from({ length: Math.min(blocks, maxBlocks) }, (_, block) => (rotates(block) ? 1 : 0));
  switch (computesAs) {
    case 'smollm3':
      // A constant of llama.cpp (`n_no_rope_layer_step`); files have no key for it.
      return { no_rope_layers: eachBlock((block) => (block + 1) % 4 !== 0) };
    case 'granite': {
      // llama.cpp uses this flag as a switch of all rotation.
      const rotates = metadata.flag(`${architecture}.rope.scaling.finetuned`) ?? true;
      return {
        ...(!rotates && { no_rope_layers: eachBlock(() => false) }),
        embedding_multiplier: optional('embedding_scale') || 1,
        residual_multiplier: optional('residual_scale') || 1,
        attention_multiplier: optional('attention.scale') || null,
        logits_scaling: required('logit_scale'),
      };
    }
    case 'gemma2':
      return {
        ...gemmaScores(required, 46),
        attn_logit_softcapping: optional('attn_logit_softcapping') ?? 50,
        final_logit_softcapping: optional('final_logit_softcapping') ?? 30,
      };
    case 'gemma3':
      return {
        ...gemmaScores(required, 62),
        rope_local_base_freq: optional('rope.freq_base_swa') ?? 10_000,
        final_logit_softcapping: optional('final_logit_softcapping') || null,
      };
    case 'gemma':
    case 'llama':
    case 'mistral':
    case 'qwen2':
    case 'qwen3':
    case 'olmo2':
      return {};
  }
}

/** The 27B models, known by their number of blocks, scale scores by hidden_size / heads and not by head_dim. */
function gemmaScores(required: Figures['required'], blocksOf27B: number): Partial<ModelConfig> {
  return required('block_count') === blocksOf27B
    ? { query_pre_attn_scalar: required('embedding_length') / required('attention.head_count') }
    : {};
}

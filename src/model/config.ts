/**
 * A model's config, with the field names of a Hugging Face `config.json`, so that a checkpoint's own file can
 * be read as it is.
 */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 24));

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));

/** How rotary frequencies are stretched to a longer context; see `rotary-frequencies.ts`. */
export const RopeScalingSchema = v.variant('rope_type', [
  v.object({ rope_type: v.literal('linear'), factor: positive }),
  v.object({
    rope_type: v.literal('llama3'),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: count,
  }),
  /** Divides the frequency of pair i by `factors[i]`, as GGUF files state it; one for each pair. */
  v.object({ rope_type: v.literal('per_pair'), factors: v.array(positive) }),
  /** Phi-3's: other factors beyond the original context, and larger cos and sin of the angles. */
  v.object({
    rope_type: v.literal('longrope'),
    short_factor: v.array(positive),
    long_factor: v.array(positive),
    original_max_position_embeddings: count,
    attention_factor: positive,
  }),
]);

export const maxBlocks = 1024;

const layerTypes = ['sliding_attention', 'full_attention'] as const;

export const ModelConfigSchema = v.object({
  /** The architecture; see `architecture.ts`. */
  model_type: v.string(),
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxBlocks)),
  num_attention_heads: count,
  num_key_value_heads: count,
  head_dim: count,
  vocab_size: count,
  /** The context length, in tokens. */
  max_position_embeddings: count,
  rms_norm_eps: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  rope_theta: v.pipe(v.number(), v.minValue(1)),
  tie_word_embeddings: v.boolean(),
  hidden_act: v.optional(v.string(), 'silu'),
  /** Biases on the q, k and v projections; Llama's on the output projection too. */
  attention_bias: v.optional(v.boolean(), false),
  /** Biases on the projections of the feed-forward part. */
  mlp_bias: v.optional(v.boolean()),
  /** The number of positions that each one attends to, itself included. */
  sliding_window: v.optional(v.nullable(count), null),
  /** For each block whether it has the window, if blocks differ. */
  layer_types: v.optional(v.nullable(v.array(v.picklist(layerTypes)))),
  rope_scaling: v.optional(v.nullable(RopeScalingSchema)),
  /** `rope_theta` of blocks with the window, unscaled; null if all blocks share one. */
  rope_local_base_freq: v.optional(v.nullable(v.pipe(v.number(), v.minValue(1)))),
  /** For each block 1 if it rotates queries and keys, and 0 if not; null if all do. */
  no_rope_layers: v.optional(v.nullable(v.array(v.picklist([0, 1])))),
  /** The share of a head's dimensions, from the first, that is rotated. */
  partial_rotary_factor: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1))),
  /** Attention scores are q·k / √this; null for head_dim. */
  query_pre_attn_scalar: v.optional(v.nullable(positive)),
  /** Attention scores, and logits, are limited to ± this by tanh; null for no limit. */
  attn_logit_softcapping: v.optional(v.nullable(positive)),
  final_logit_softcapping: v.optional(v.nullable(positive)),
  /** Factors of embeddings and of what each half of a block adds; attention scores are q·k times this. */
  embedding_multiplier: v.optional(v.nullable(positive)),
  residual_multiplier: v.optional(v.nullable(positive)),
  attention_multiplier: v.optional(v.nullable(positive)),
  /** Logits are divided by this. */
  logits_scaling: v.optional(v.nullable(positive)),
  /** Added to the stored weights of all norms: 1 if they are stored as differences from 1. */
  norm_weight_offset: v.optional(v.picklist([0, 1])),
  bos_token_id: v.optional(v.nullable(v.pipe(v.number(), v.integer())), null),
  eos_token_id: v.optional(v.array(v.pipe(v.number(), v.integer())), []),
});

export type RopeScaling = v.InferOutput<typeof RopeScalingSchema>;
export type ModelConfig = v.InferOutput<typeof ModelConfigSchema>;

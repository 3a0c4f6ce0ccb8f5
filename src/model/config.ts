/**
 * A model's architecture figures, under the names they carry in a Hugging Face `config.json`, so that
 * a checkpoint's own file can be read as it is.
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
  /** Divides the frequency of pair i by `factors[i]`, as GGUF files state it; head_dim / 2 of them. */
  v.object({ rope_type: v.literal('per_pair'), factors: v.array(positive) }),
]);

export const ModelConfigSchema = v.object({
  /** Names the architecture: `llama`, `mistral`, `qwen2`, `qwen3`. */
  model_type: v.string(),
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024)),
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
  /** Biases on the q, k and v projections. */
  attention_bias: v.optional(v.boolean(), false),
  sliding_window: v.optional(v.nullable(count), null),
  rope_scaling: v.optional(v.nullable(RopeScalingSchema)),
  bos_token_id: v.optional(v.nullable(v.pipe(v.number(), v.integer())), null),
  eos_token_id: v.optional(v.array(v.pipe(v.number(), v.integer())), []),
});

export type RopeScaling = v.InferOutput<typeof RopeScalingSchema>;
export type ModelConfig = v.InferOutput<typeof ModelConfigSchema>;

/**
 * What distinguishes the supported architectures: how their blocks are built, and which figures of a config
 * they heed. Tensors are listed, configs read and graphs composed by this table.
 *
 * Above a row stand the public sources that it was checked against: the model's file and class in Hugging
 * Face's transformers (`src/transformers/models`), and an implementation that does not derive from it, in
 * llama.cpp (`src/models`) or Google's gemma_pytorch. Llama, Qwen 2 and Qwen 3 are checked against figures
 * that were computed elsewhere (`src/engine/fixtures`).
 */

export interface Traits {
  /**
   * Whether attention and feed-forward have norms on their inputs (`before`), on their outputs before these
   * are added (`after`), or on both.
   */
  norms: 'before' | 'after' | 'both';
  /** Norms of queries and keys before they are rotated: over each head, or over all heads together. */
  queryKeyNorm: 'none' | 'each head' | 'all heads';
  activation: 'silu' | 'gelu_pytorch_tanh';
  /** Biases of the q, k and v projections. */
  attentionBias: 'never' | 'optional' | 'always';
  /** Whether `attention_bias` means a bias on the output projection too. */
  outputBias: boolean;
  /** Whether `mlp_bias` is heeded. */
  mlpBias: boolean;
  /** Which blocks have the config's sliding window: all, or those that `layer_types` names. */
  window: 'never' | 'every block' | 'by block';
  /** Whether blocks with the window rotate by `rope_local_base_freq`. */
  hasLocalRotary: boolean;
  /** Whether some blocks may rotate nothing (`no_rope_layers`). */
  mayOmitRotary: boolean;
  /** Whether embeddings are multiplied by √hidden_size. */
  scalesEmbedding: boolean;
  /** Whether scores are scaled by `query_pre_attn_scalar`, and scores and logits bounded. */
  scalesScores: boolean;
  /** Whether `embedding_multiplier`, `residual_multiplier`, `attention_multiplier` and `logits_scaling` are heeded. */
  hasMultipliers: boolean;
}

const plain: Traits = {
  norms: 'before',
  queryKeyNorm: 'none',
  activation: 'silu',
  attentionBias: 'never',
  outputBias: false,
  mlpBias: false,
  window: 'never',
  hasLocalRotary: false,
  mayOmitRotary: false,
  scalesEmbedding: false,
  scalesScores: false,
  hasMultipliers: false,
};

const withOptionalBiases: Traits = {
  ...plain,
  attentionBias: 'optional',
  outputBias: true,
  mlpBias: true,
};

const gemma: Traits = { ...plain, activation: 'gelu_pytorch_tanh', scalesEmbedding: true };

const gemma2: Traits = { ...gemma, norms: 'both', window: 'by block', scalesScores: true };

/** By `model_type`. */
export const traitsByType = {
  llama: withOptionalBiases,
  // Phi-3 and Phi-4-mini compute as Mistral does. phi3/modeling_phi3.py (Phi3DecoderLayer,
  // apply_rotary_pos_emb); phi3.cpp (graph).
  mistral: { ...plain, window: 'every block' },
  qwen2: { ...plain, attentionBias: 'always' },
  qwen3: { ...plain, queryKeyNorm: 'each head' },
  // gemma.cpp (graph); gemma_pytorch gemma/model.py (RMSNorm, GemmaMLP).
  gemma,
  // gemma2/modeling_gemma2.py (Gemma2DecoderLayer, eager_attention_forward); gemma2.cpp (graph).
  gemma2,
  // gemma3/modeling_gemma3.py (Gemma3Attention, Gemma3DecoderLayer); gemma3.cpp (graph).
  gemma3: { ...gemma2, queryKeyNorm: 'each head', hasLocalRotary: true },
  // smollm3/modeling_smollm3.py (SmolLM3Attention); smollm3.cpp (llm_build_smollm3).
  smollm3: { ...withOptionalBiases, mayOmitRotary: true },
  // olmo2/modeling_olmo2.py (Olmo2Attention, Olmo2DecoderLayer); olmo2.cpp (graph).
  olmo2: {
    ...plain,
    norms: 'after',
    queryKeyNorm: 'all heads',
    attentionBias: 'optional',
    outputBias: true,
  },
  // granite/modeling_granite.py (GraniteAttention, GraniteDecoderLayer, GraniteModel); granite.cpp (graph,
  // build_attention_layer, build_layer_ffn).
  granite: { ...withOptionalBiases, mayOmitRotary: true, hasMultipliers: true },
} as const satisfies Record<string, Traits>;

export type Architecture = keyof typeof traitsByType;

/** Supported architectures, by their `model_type`. */
export const architectures = Object.keys(traitsByType) as readonly Architecture[];

export function isSupported(modelType: string): modelType is Architecture {
  return Object.hasOwn(traitsByType, modelType);
}

/** @throws Error that names the architectures that are known */
export function traitsOf({ model_type: type }: { model_type: string }): Traits {
  if (isSupported(type)) return traitsByType[type];
  throw new Error(
    `the architecture "${type}" is not known here; known are ${architectures.join(', ')}`,
  );
}

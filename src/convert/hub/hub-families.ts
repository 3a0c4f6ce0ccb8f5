/**
 * The families whose `config.json` can be read, by `model_type`, with what transformers' configuration
 * classes (`configuration_*.py`) take for granted.
 */
import { isRecord } from '../../base/is-record.ts';
import type { Architecture } from '../../model/traits.ts';
import type { Fields } from './without-nulls.ts';

export interface HubFamily {
  computesAs: Architecture;
  /** Whether a share of each head may be rotated (`partial_rotary_factor`). */
  mayRotatePart?: true;
  /** Values of fields that files may leave out. */
  defaults: Fields;
  /** Sizes, which only the text part of a larger model may leave out. */
  sizes: Fields;
}

/** Vocabulary, hidden and intermediate size, blocks, heads, key-value heads. */
function sizes(...figures: [number, number, number, number, number, number?]): Fields {
  const [vocabulary, hidden, intermediate, blocks, heads, kvHeads] = figures;
  return {
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: blocks,
    num_attention_heads: heads,
    // As many as there are heads, unless a class says otherwise.
    ...(kvHeads !== undefined && { num_key_value_heads: kvHeads }),
  };
}

const gemma = {
  tie_word_embeddings: true,
  hidden_activation: 'gelu_pytorch_tanh',
  head_dim: 256,
  max_position_embeddings: 8192,
  norm_weight_offset: 1,
};

const gemma2 = { ...gemma, query_pre_attn_scalar: 256, sliding_window: 4096 };

const families: Partial<Record<string, HubFamily>> = {
  llama: { computesAs: 'llama', defaults: {}, sizes: sizes(32_000, 4096, 11_008, 32, 32) },
  mistral: {
    computesAs: 'mistral',
    defaults: { sliding_window: 4096, max_position_embeddings: 131_072 },
    sizes: sizes(32_000, 4096, 14_336, 32, 32, 8),
  },
  qwen2: {
    computesAs: 'qwen2',
    defaults: { max_position_embeddings: 32_768 },
    sizes: sizes(151_936, 4096, 22_016, 32, 32, 32),
  },
  qwen3: {
    computesAs: 'qwen3',
    defaults: { max_position_embeddings: 32_768, head_dim: 128 },
    sizes: sizes(151_936, 4096, 22_016, 32, 32, 32),
  },
  // Mistral with some tensors fused; `fused-tensors.ts` splits them.
  phi3: {
    computesAs: 'mistral',
    mayRotatePart: true,
    defaults: {
      rms_norm_eps: 1e-5,
      max_position_embeddings: 4096,
      original_max_position_embeddings: 4096,
    },
    sizes: sizes(32_064, 3072, 8192, 32, 32),
  },
  gemma: { computesAs: 'gemma', defaults: gemma, sizes: sizes(256_000, 3072, 24_576, 28, 16, 16) },
  gemma2: {
    computesAs: 'gemma2',
    defaults: {
      ...gemma2,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
      sliding_window_pattern: 2,
    },
    sizes: sizes(256_000, 2304, 9216, 26, 8, 4),
  },
  gemma3_text: {
    computesAs: 'gemma3',
    defaults: {
      ...gemma2,
      max_position_embeddings: 131_072,
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
      sliding_window_pattern: 6,
    },
    sizes: sizes(262_208, 2304, 9216, 26, 8, 4),
  },
  smollm3: {
    computesAs: 'smollm3',
    defaults: {
      tie_word_embeddings: true,
      max_position_embeddings: 32_768,
      rope_theta: 2_000_000,
      no_rope_layer_interval: 4,
    },
    sizes: sizes(128_256, 2048, 11_008, 36, 16, 4),
  },
  olmo2: {
    computesAs: 'olmo2',
    defaults: { rms_norm_eps: 1e-5 },
    sizes: sizes(50_304, 4096, 11_008, 32, 32),
  },
  granite: {
    computesAs: 'granite',
    defaults: {
      embedding_multiplier: 1,
      residual_multiplier: 1,
      attention_multiplier: 1,
      logits_scaling: 1,
    },
    sizes: sizes(32_000, 4096, 11_008, 32, 32),
  },
};

/** @throws Error that names the type, and what kind of model it is where that can be told */
export function hubFamily(type: string, fields: Fields): HubFamily {
  const family = Object.hasOwn(families, type) ? families[type] : undefined;
  if (family && !isMixture(fields)) return family;
  throw new Error(
    `this model is a "${type}"${kindOf(type, fields)}, an architecture that is not supported; ` +
      `these are: ${Object.keys(families).join(', ')}`,
  );
}

/** What sort of model an unsupported one is, if its fields tell. */
function kindOf(type: string, fields: Fields): string {
  const says = expertFields.some((name) => name in fields);
  if (says ? isMixture(fields) : /moe|mixtral/i.test(type)) return ', a mixture of experts';
  if (fields['is_encoder_decoder'] === true) return ', an encoder with a decoder';
  const { text_config: text } = fields;
  if (isRecord(text)) return `, which sees or hears around a ${JSON.stringify(text['model_type'])}`;
  return '';
}

/** Where configs count experts. */
const expertFields = ['num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts'];

function isMixture(fields: Fields): boolean {
  return expertFields.some((name) => Number(fields[name] ?? 0) > 0);
}

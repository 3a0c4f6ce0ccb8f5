/**
 * Models on Hugging Face to suggest to people, from small to large. Figures are those of their published
 * `config.json`. Once opened, a model's own files are read and checked like any other's.
 */
import type { ModelConfig } from './config.ts';

export interface HubEntry {
  /** `owner/model` on huggingface.co. */
  id: string;
  title: string;
  licence: string;
  /** Whether its licence must be accepted on the hub, and an access token given. */
  gated: boolean;
  config: ModelConfig;
}

const usual = {
  rms_norm_eps: 1e-6,
  hidden_act: 'silu',
  attention_bias: false,
  sliding_window: null,
  bos_token_id: null,
  eos_token_id: [],
};

const smolLm2 = {
  ...usual,
  model_type: 'llama',
  head_dim: 64,
  vocab_size: 49_152,
  max_position_embeddings: 8192,
  rope_theta: 100_000,
  tie_word_embeddings: true,
};

const qwen2 = {
  ...usual,
  model_type: 'qwen2',
  num_key_value_heads: 2,
  vocab_size: 151_936,
  max_position_embeddings: 32_768,
  rope_theta: 1_000_000,
  tie_word_embeddings: true,
  attention_bias: true,
};

export const hubCatalogue: readonly HubEntry[] = [
  {
    id: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    title: 'SmolLM2 135M',
    licence: 'Apache-2.0',
    gated: false,
    config: {
      ...smolLm2,
      hidden_size: 576,
      intermediate_size: 1536,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
    },
  },
  {
    id: 'HuggingFaceTB/SmolLM2-360M-Instruct',
    title: 'SmolLM2 360M',
    licence: 'Apache-2.0',
    gated: false,
    config: {
      ...smolLm2,
      hidden_size: 960,
      intermediate_size: 2560,
      num_hidden_layers: 32,
      num_attention_heads: 15,
      num_key_value_heads: 5,
    },
  },
  {
    id: 'Qwen/Qwen2.5-0.5B-Instruct',
    title: 'Qwen 2.5 0.5B',
    licence: 'Apache-2.0',
    gated: false,
    config: {
      ...qwen2,
      hidden_size: 896,
      intermediate_size: 4864,
      num_hidden_layers: 24,
      num_attention_heads: 14,
      head_dim: 64,
    },
  },
  {
    id: 'Qwen/Qwen3-0.6B',
    title: 'Qwen 3 0.6B',
    licence: 'Apache-2.0',
    gated: false,
    config: {
      ...usual,
      model_type: 'qwen3',
      hidden_size: 1024,
      intermediate_size: 3072,
      num_hidden_layers: 28,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      head_dim: 128,
      vocab_size: 151_936,
      max_position_embeddings: 40_960,
      rope_theta: 1_000_000,
      tie_word_embeddings: true,
    },
  },
  {
    id: 'google/gemma-3-1b-it',
    title: 'Gemma 3 1B',
    licence: 'Gemma terms of use',
    gated: true,
    config: {
      ...usual,
      model_type: 'gemma3',
      hidden_act: 'gelu_pytorch_tanh',
      hidden_size: 1152,
      intermediate_size: 6912,
      num_hidden_layers: 26,
      num_attention_heads: 4,
      num_key_value_heads: 1,
      head_dim: 256,
      vocab_size: 262_144,
      max_position_embeddings: 32_768,
      rope_theta: 1_000_000,
      tie_word_embeddings: true,
    },
  },
  {
    id: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
    title: 'TinyLlama 1.1B Chat',
    licence: 'Apache-2.0',
    gated: false,
    config: {
      ...usual,
      model_type: 'llama',
      hidden_size: 2048,
      intermediate_size: 5632,
      num_hidden_layers: 22,
      num_attention_heads: 32,
      num_key_value_heads: 4,
      head_dim: 64,
      vocab_size: 32_000,
      max_position_embeddings: 2048,
      rope_theta: 10_000,
      tie_word_embeddings: false,
    },
  },
  {
    id: 'Qwen/Qwen2.5-1.5B-Instruct',
    title: 'Qwen 2.5 1.5B',
    licence: 'Apache-2.0',
    gated: false,
    config: {
      ...qwen2,
      hidden_size: 1536,
      intermediate_size: 8960,
      num_hidden_layers: 28,
      num_attention_heads: 12,
      head_dim: 128,
    },
  },
  {
    id: 'microsoft/Phi-3.5-mini-instruct',
    title: 'Phi 3.5 mini',
    licence: 'MIT',
    gated: false,
    config: {
      ...usual,
      model_type: 'mistral',
      hidden_size: 3072,
      intermediate_size: 8192,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 32,
      head_dim: 96,
      vocab_size: 32_064,
      max_position_embeddings: 131_072,
      rope_theta: 10_000,
      tie_word_embeddings: false,
    },
  },
];

/** Turns a GGUF file's metadata into a model config, and its tensor names into Hugging Face names. */
import * as v from 'valibot';
import { ModelConfigSchema, type ModelConfig, type RopeScaling } from '../../model/config.ts';
import type { Metadata } from './gguf-metadata.ts';
import { stopTokens } from './gguf-stop-tokens.ts';

/** Maps `general.architecture` to the `model_type` that computes the same. */
const modelTypes: Partial<Record<string, string>> = {
  // Mistral's models are published as llama too.
  llama: 'llama',
  mistral: 'mistral',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  // Phi-3 computes as Mistral does; `fused-tensors.ts` splits its fused tensors.
  phi3: 'mistral',
};

export interface GgufFacts {
  vocabSize: number;
  /** False if the head uses the embedding's tensor. */
  hasOutput: boolean;
  /** Divisors of the rotary frequencies, if the file has them as a tensor. */
  rotaryFactors: number[] | null;
}

/** @throws Error that names the unsupported architecture, or the metadata that is missing */
export function ggufConfig(metadata: Metadata, facts: GgufFacts, path: string): ModelConfig {
  const architecture = metadata.text('general.architecture') ?? '';
  const modelType = modelTypes[architecture];
  if (modelType === undefined)
    throw new Error(
      `${path} holds a model of the architecture "${architecture}", which is not supported; ` +
        `these are: ${Object.keys(modelTypes).join(', ')}`,
    );
  const figure = (key: string): number => metadata.requiredNumber(`${architecture}.${key}`);
  const optional = (key: string): number | undefined => metadata.number(`${architecture}.${key}`);
  if ((optional('expert_count') ?? 0) > 0)
    throw new Error(`${path} holds a mixture of experts, which is not supported here`);

  const heads = figure('attention.head_count');
  const hidden = figure('embedding_length');
  const headDim = optional('attention.key_length') ?? hidden / heads;
  const rotaryDim = optional('rope.dimension_count') ?? headDim;
  if (rotaryDim !== headDim)
    throw new Error(
      `${path} rotates ${rotaryDim} of the ${headDim} dimensions of a head, which is not supported here`,
    );
  const result = v.safeParse(
    ModelConfigSchema,
    {
      model_type: modelType,
      hidden_size: hidden,
      intermediate_size: figure('feed_forward_length'),
      num_hidden_layers: figure('block_count'),
      num_attention_heads: heads,
      num_key_value_heads: optional('attention.head_count_kv') ?? heads,
      head_dim: headDim,
      vocab_size: facts.vocabSize,
      max_position_embeddings: figure('context_length'),
      rms_norm_eps: figure('attention.layer_norm_rms_epsilon'),
      rope_theta: optional('rope.freq_base') ?? 10_000,
      rope_scaling: scalingOf(metadata, architecture, facts, path),
      tie_word_embeddings: !facts.hasOutput,
      attention_bias: modelType === 'qwen2',
      sliding_window:
        modelType === 'mistral' ? (optional('attention.sliding_window') ?? null) : null,
      bos_token_id: metadata.number('tokenizer.ggml.bos_token_id') ?? null,
      eos_token_id: stopTokens(metadata),
    },
    { abortEarly: true },
  );
  if (!result.success) {
    const place = v.getDotPath(result.issues[0]) ?? 'its top level';
    throw new Error(`${path} cannot be right: ${place}, ${result.issues[0].message}`);
  }
  return result.output;
}

function scalingOf(
  metadata: Metadata,
  architecture: string,
  { rotaryFactors }: GgufFacts,
  path: string,
): RopeScaling | null {
  if (rotaryFactors) return { rope_type: 'per_pair', factors: rotaryFactors };
  const type = metadata.text(`${architecture}.rope.scaling.type`) ?? 'none';
  const factor = metadata.number(`${architecture}.rope.scaling.factor`) ?? 1;
  if (type === 'none' || factor === 1) return null;
  if (type === 'linear') return { rope_type: 'linear', factor };
  throw new Error(
    `${path} stretches its context by "${type}", not supported here; linear and per-pair factors are`,
  );
}

const outerNames: Partial<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

const innerNames: Partial<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_qkv: 'self_attn.qkv_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/**
 * `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; undefined for an unknown name.
 *
 * @param gateInUp whether `ffn_up` holds the gate as well
 */
export function hubNameOf(ggufName: string, gateInUp: boolean): string | undefined {
  const outer = outerNames[ggufName];
  if (outer !== undefined) return outer;
  const match = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(ggufName);
  if (!match) return undefined;
  const inner = gateInUp && match[2] === 'ffn_up' ? 'mlp.gate_up_proj' : innerNames[match[2]];
  return inner === undefined ? undefined : `model.layers.${match[1]}.${inner}.${match[3]}`;
}

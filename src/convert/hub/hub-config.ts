/** Reads a Hugging Face `config.json`, and refuses by name whatever the engine would compute wrongly. */
import * as v from 'valibot';
import type { Architecture } from '../../model/architecture.ts';
import { maxBlocks, ModelConfigSchema, type ModelConfig } from '../../model/config.ts';
import { rotaryFields, rotaryOf } from './hub-rotary.ts';

const tokenIds = v.optional(v.nullable(v.union([v.number(), v.array(v.number())])));

const HubConfigSchema = v.looseObject({
  model_type: v.string(),
  hidden_size: v.number(),
  num_hidden_layers: v.number(),
  num_attention_heads: v.number(),
  num_key_value_heads: v.optional(v.nullable(v.number())),
  head_dim: v.optional(v.nullable(v.number())),
  hidden_act: v.optional(v.nullable(v.string())),
  hidden_activation: v.optional(v.nullable(v.string())),
  rms_norm_eps: v.optional(v.number(), 1e-6),
  ...rotaryFields,
  tie_word_embeddings: v.optional(v.boolean(), false),
  attention_bias: v.optional(v.boolean(), false),
  mlp_bias: v.optional(v.boolean(), false),
  sliding_window: v.optional(v.nullable(v.number())),
  use_sliding_window: v.optional(v.boolean()),
  layer_types: v.optional(v.nullable(v.array(v.string()))),
  sliding_window_pattern: v.optional(v.nullable(v.number())),
  partial_rotary_factor: v.optional(v.number(), 1),
  bos_token_id: tokenIds,
  eos_token_id: tokenIds,
});

type HubConfig = v.InferOutput<typeof HubConfigSchema>;

interface Family {
  computesAs: Architecture;
  /** Values of fields that its files may leave out. */
  defaults: Record<string, unknown>;
}

const gemma = {
  tie_word_embeddings: true,
  hidden_activation: 'gelu_pytorch_tanh',
  query_pre_attn_scalar: 256,
  sliding_window: 4096,
  norm_weight_offset: 1,
};

/** By `model_type`. */
const families: Partial<Record<string, Family>> = {
  llama: { computesAs: 'llama', defaults: {} },
  mistral: { computesAs: 'mistral', defaults: { sliding_window: 4096 } },
  qwen2: { computesAs: 'qwen2', defaults: {} },
  qwen3: { computesAs: 'qwen3', defaults: {} },
  // Mistral with some tensors fused; `fused-tensors.ts` splits them.
  phi3: { computesAs: 'mistral', defaults: {} },
  gemma2: {
    computesAs: 'gemma2',
    defaults: {
      ...gemma,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
      sliding_window_pattern: 2,
    },
  },
  // Text only; models that take pictures have another type.
  gemma3_text: {
    computesAs: 'gemma3',
    defaults: {
      ...gemma,
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
      sliding_window_pattern: 6,
    },
  },
};

/**
 * @param json the parsed `config.json`
 * @param generationEos `eos_token_id` of `generation_config.json`, which has more stop tokens
 * @throws Error that names the architecture or option that is not supported
 */
export function readHubConfig(json: unknown, generationEos: readonly number[] = []): ModelConfig {
  const { hub, family } = readFields(json);
  refuseOptions(hub);
  const result = v.safeParse(
    ModelConfigSchema,
    {
      ...hub,
      ...rotaryOf(hub),
      model_type: family.computesAs,
      hidden_act: hub.hidden_activation ?? hub.hidden_act ?? 'silu',
      // Qwen 2 has biases, whatever its file says.
      attention_bias: hub.attention_bias || family.computesAs === 'qwen2',
      num_key_value_heads: hub.num_key_value_heads ?? hub.num_attention_heads,
      head_dim: hub.head_dim ?? hub.hidden_size / hub.num_attention_heads,
      sliding_window: slidingWindowOf(hub, family),
      layer_types: layerTypesOf(hub, family),
      bos_token_id: idsOf(hub.bos_token_id)[0] ?? null,
      eos_token_id: [...new Set([...idsOf(hub.eos_token_id), ...generationEos])],
    },
    { abortEarly: true },
  );
  if (!result.success) {
    const place = v.getDotPath(result.issues[0]) ?? 'its top level';
    throw new Error(`config.json cannot be right: at ${place}, ${result.issues[0].message}`);
  }
  return result.output;
}

/** The file's fields, and its family's defaults for those left out. */
function readFields(json: unknown): { hub: HubConfig; family: Family } {
  const { model_type: type } = checked(v.looseObject({ model_type: v.string() }), json);
  const family = families[type];
  if (!family)
    throw new Error(
      `this model is a "${type}", an architecture that is not supported; ` +
        `these are: ${Object.keys(families).join(', ')}`,
    );
  return { hub: checked(HubConfigSchema, { ...family.defaults, ...Object(json) }), family };
}

function checked<const Schema extends v.GenericSchema>(
  schema: Schema,
  json: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const place = v.getDotPath(result.issues[0]) ?? 'its top level';
  throw new Error(
    `config.json is not a language model's: at ${place}, ${result.issues[0].message}`,
  );
}

function refuseOptions(hub: HubConfig): void {
  const missing = [
    hub.mlp_bias && hub.model_type !== 'llama' && 'biases in the feed-forward part (mlp_bias)',
    hub.attention_bias &&
      !['llama', 'qwen2'].includes(hub.model_type) &&
      'biases in its attention (attention_bias)',
    hub.partial_rotary_factor !== 1 &&
      hub.model_type !== 'phi3' &&
      'rotary over part of a head (partial_rotary_factor)',
    hub.use_sliding_window === true && 'a sliding window in some blocks (use_sliding_window)',
    hub['use_bidirectional_attention'] === true &&
      'attention to later positions (use_bidirectional_attention)',
    'quantization_config' in hub && 'weights in another quantised format (quantization_config)',
  ].filter((what) => what !== false);
  if (missing.length > 0)
    throw new Error(
      `this ${hub.model_type} model has ${missing.join(' and ')}, which is not supported here`,
    );
}

/** A window at least as wide as the context has no effect. */
function slidingWindowOf(hub: HubConfig, { computesAs }: Family): number | null {
  const window = ['mistral', 'gemma2', 'gemma3'].includes(computesAs)
    ? (hub.sliding_window ?? null)
    : null;
  return window === null || window >= hub.max_position_embeddings ? null : window;
}

/** In Gemma every `sliding_window_pattern`-th block attends to all positions, the others to a window. */
function layerTypesOf(hub: HubConfig, { computesAs }: Family): string[] | null {
  if (computesAs !== 'gemma2' && computesAs !== 'gemma3') return null;
  if (hub.layer_types) return hub.layer_types;
  const pattern = hub.sliding_window_pattern ?? 1;
  const blocks = Math.min(hub.num_hidden_layers, maxBlocks);
  return Array.from({ length: blocks }, (_, block) =>
    (block + 1) % pattern === 0 ? 'full_attention' : 'sliding_attention',
  );
}

function idsOf(ids: number | number[] | null | undefined): number[] {
  if (ids === null || ids === undefined) return [];
  return Array.isArray(ids) ? ids : [ids];
}

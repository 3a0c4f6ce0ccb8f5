/** Reads a Hugging Face `config.json`, and refuses by name what could not be run rightly. */
import * as v from 'valibot';
import { architectures, isSupported } from '../model/architecture.ts';
import {
  ModelConfigSchema,
  RopeScalingSchema,
  type ModelConfig,
  type RopeScaling,
} from '../model/config.ts';

const tokenIds = v.optional(v.nullable(v.union([v.number(), v.array(v.number())])));

const HubConfigSchema = v.looseObject({
  model_type: v.string(),
  hidden_size: v.number(),
  num_attention_heads: v.number(),
  num_key_value_heads: v.optional(v.nullable(v.number())),
  head_dim: v.optional(v.nullable(v.number())),
  max_position_embeddings: v.optional(v.number(), 2048),
  rms_norm_eps: v.optional(v.number(), 1e-6),
  rope_theta: v.optional(v.number()),
  rope_scaling: v.optional(v.nullable(v.looseObject({}))),
  rope_parameters: v.optional(v.nullable(v.looseObject({ rope_theta: v.optional(v.number()) }))),
  tie_word_embeddings: v.optional(v.boolean(), false),
  attention_bias: v.optional(v.boolean(), false),
  mlp_bias: v.optional(v.boolean(), false),
  sliding_window: v.optional(v.nullable(v.number())),
  use_sliding_window: v.optional(v.boolean()),
  partial_rotary_factor: v.optional(v.number(), 1),
  bos_token_id: tokenIds,
  eos_token_id: tokenIds,
});

type HubConfig = v.InferOutput<typeof HubConfigSchema>;

/**
 * @param json the parsed `config.json`
 * @param generationEos `eos_token_id` of `generation_config.json`, which knows more stop tokens
 * @throws Error that names the architecture or option that is missing here
 */
export function readHubConfig(json: unknown, generationEos: readonly number[] = []): ModelConfig {
  const checked = v.safeParse(HubConfigSchema, json, { abortEarly: true });
  if (!checked.success) {
    const place = v.getDotPath(checked.issues[0]) ?? 'its top level';
    throw new Error(
      `config.json is not a language model's: at ${place}, ${checked.issues[0].message}`,
    );
  }
  const hub = { ...checked.output, model_type: computesAs(checked.output.model_type) };
  if (!isSupported(hub.model_type))
    throw new Error(
      `this model is a "${hub.model_type}", an architecture that is not supported; ` +
        `these are: ${architectures.join(', ')}, phi3`,
    );
  refuseOptions(hub);
  const result = v.safeParse(
    ModelConfigSchema,
    {
      ...hub,
      num_key_value_heads: hub.num_key_value_heads ?? hub.num_attention_heads,
      head_dim: hub.head_dim ?? hub.hidden_size / hub.num_attention_heads,
      rope_theta: hub.rope_theta ?? hub.rope_parameters?.rope_theta ?? 10_000,
      rope_scaling: scalingOf(hub),
      // Qwen 2 has its biases without saying so.
      attention_bias: hub.attention_bias || hub.model_type === 'qwen2',
      sliding_window: slidingWindowOf(hub),
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

/** Phi-3 is Mistral with some of its tensors fused, which are split where they are found. */
function computesAs(modelType: string): string {
  return modelType === 'phi3' ? 'mistral' : modelType;
}

function refuseOptions(hub: HubConfig): void {
  const missing = [
    hub.mlp_bias && 'biases in the feed-forward part (mlp_bias)',
    hub.partial_rotary_factor !== 1 && 'rotary over part of a head (partial_rotary_factor)',
    hub.use_sliding_window === true && 'a sliding window in some layers (use_sliding_window)',
    'quantization_config' in hub && 'weights quantised in a way of their own (quantization_config)',
  ].filter((what) => what !== false);
  if (missing.length > 0)
    throw new Error(
      `this ${hub.model_type} model has ${missing.join(' and ')}, not supported here`,
    );
}

function slidingWindowOf(hub: HubConfig): number | null {
  if (hub.model_type !== 'mistral') return null;
  const window = hub.sliding_window ?? null;
  return window === null || window >= hub.max_position_embeddings ? null : window;
}

function scalingOf(hub: HubConfig): RopeScaling | null {
  const scaling = hub.rope_scaling ?? hub.rope_parameters ?? null;
  if (scaling === null) return null;
  const type = scaling['rope_type'] ?? scaling['type'] ?? 'default';
  if (type === 'default') return null;
  const result = v.safeParse(RopeScalingSchema, { ...scaling, rope_type: type });
  if (!result.success)
    throw new Error(
      `this model stretches its context by ${JSON.stringify(type)}, not supported here; ` +
        'linear and llama3 are',
    );
  return result.output;
}

function idsOf(ids: number | number[] | null | undefined): number[] {
  if (ids === null || ids === undefined) return [];
  return Array.isArray(ids) ? ids : [ids];
}

const GenerationSchema = v.looseObject({ eos_token_id: tokenIds });

/** Sampling defaults and stop tokens of a `generation_config.json`; what it does not say is left out. */
export function readGenerationConfig(json: unknown): {
  eos: number[];
  sampling: Record<string, number>;
} {
  const checked = v.safeParse(GenerationSchema, json);
  if (!checked.success) return { eos: [], sampling: {} };
  const { output } = checked;
  const names = ['temperature', 'top_k', 'top_p', 'min_p', 'repetition_penalty'];
  const sampling: Record<string, number> = {};
  for (const name of names) {
    const value = output[name];
    if (typeof value === 'number') sampling[name] = value;
  }
  return { eos: idsOf(output.eos_token_id), sampling };
}

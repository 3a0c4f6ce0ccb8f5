/** Reads a Hugging Face `config.json`, and refuses by name whatever the engine would compute wrongly. */
import * as v from 'valibot';
import { isRecord } from '../../base/is-record.ts';
import { maxBlocks, ModelConfigSchema, type ModelConfig } from '../../model/config.ts';
import { misfitOfFactors } from '../../model/rotary/rotary-frequencies.ts';
import { traitsByType, type Traits } from '../../model/traits.ts';
import { refuseQuantisedConfig } from './foreign-quantisation.ts';
import { hubFamily, type HubFamily } from './hub-families.ts';
import { rotaryFields, rotaryOf } from './hub-rotary.ts';
import { textPartOf } from './text-part.ts';
import { withoutNulls } from './without-nulls.ts';

const tokenIds = v.optional(v.nullable(v.union([v.number(), v.array(v.number())])));

const HubConfigSchema = v.looseObject({
  model_type: v.string(),
  hidden_size: v.number(),
  num_hidden_layers: v.number(),
  num_attention_heads: v.number(),
  num_key_value_heads: v.optional(v.number()),
  head_dim: v.optional(v.number()),
  hidden_act: v.optional(v.string()),
  hidden_activation: v.optional(v.string()),
  rms_norm_eps: v.optional(v.number(), 1e-6),
  ...rotaryFields,
  tie_word_embeddings: v.optional(v.boolean(), false),
  attention_bias: v.optional(v.boolean(), false),
  mlp_bias: v.optional(v.boolean(), false),
  sliding_window: v.optional(v.nullable(v.number())),
  use_sliding_window: v.optional(v.boolean()),
  layer_types: v.optional(v.array(v.string())),
  sliding_window_pattern: v.optional(v.number()),
  no_rope_layers: v.optional(v.array(v.number())),
  no_rope_layer_interval: v.optional(v.number()),
  bos_token_id: tokenIds,
  eos_token_id: tokenIds,
});

type HubConfig = v.InferOutput<typeof HubConfigSchema>;

/**
 * @param json the parsed `config.json`
 * @param generationEos `eos_token_id` of `generation_config.json`, which has more stop tokens
 * @throws Error that names the architecture or option that is not supported
 */
export function readHubConfig(json: unknown, generationEos: readonly number[] = []): ModelConfig {
  const { hub, family } = readFields(json);
  const traits = traitsByType[family.computesAs];
  refuseOptions(hub, traits);
  const result = v.safeParse(
    ModelConfigSchema,
    {
      model_type: family.computesAs,
      hidden_size: hub.hidden_size,
      intermediate_size: hub['intermediate_size'],
      num_hidden_layers: hub.num_hidden_layers,
      num_attention_heads: hub.num_attention_heads,
      num_key_value_heads: hub.num_key_value_heads ?? hub.num_attention_heads,
      head_dim: hub.head_dim ?? hub.hidden_size / hub.num_attention_heads,
      vocab_size: hub['vocab_size'],
      max_position_embeddings: hub.max_position_embeddings,
      rms_norm_eps: hub.rms_norm_eps,
      tie_word_embeddings: hub.tie_word_embeddings,
      hidden_act: activationOf(hub),
      // Qwen 2 has biases, whatever its file says.
      attention_bias: hub.attention_bias || traits.attentionBias === 'always',
      mlp_bias: hub.mlp_bias,
      ...rotaryOf(hub, family),
      sliding_window: slidingWindowOf(hub, traits),
      layer_types: layerTypesOf(hub, traits),
      ...rotatingBlocksOf(hub, traits),
      ...pick(hub, traits.scalesScores ? scoreFields : []),
      ...pick(hub, traits.hasMultipliers ? multiplierFields : []),
      norm_weight_offset: family.defaults['norm_weight_offset'],
      bos_token_id: idsOf(hub.bos_token_id)[0] ?? null,
      eos_token_id: [...new Set([...idsOf(hub.eos_token_id), ...generationEos])],
    },
    { abortEarly: true },
  );
  if (!result.success) {
    const place = v.getDotPath(result.issues[0]) ?? 'its top level';
    throw new Error(`config.json cannot be right: at ${place}, ${result.issues[0].message}`);
  }
  const misfit = misfitOfFactors(result.output);
  if (misfit !== null) throw new Error(`config.json cannot be right: this model ${misfit}`);
  return result.output;
}

/** The file's fields, or those of its text part, and its family's defaults for those left out. */
function readFields(json: unknown): { hub: HubConfig; family: HubFamily } {
  const Typed = v.looseObject({ model_type: v.string() });
  const whole = checked(Typed, isRecord(json) ? withoutNulls(json) : json);
  const text = textPartOf(whole);
  const fields = text ?? whole;
  const family = hubFamily(fields.model_type, fields);
  refuseQuantisedConfig(fields);
  const given = { ...family.defaults, ...(text && family.sizes), ...fields };
  return { hub: checked(HubConfigSchema, given), family };
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

function refuseOptions(hub: HubConfig, traits: Traits): void {
  const activation = activationOf(hub);
  const missing = [
    hub.mlp_bias && !traits.mlpBias && 'biases in the feed-forward part (mlp_bias)',
    hub.attention_bias &&
      traits.attentionBias === 'never' &&
      'biases in its attention (attention_bias)',
    hub.use_sliding_window === true && 'a sliding window in some blocks (use_sliding_window)',
    traits.window !== 'by block' &&
      new Set(hub.layer_types).size > 1 &&
      'blocks that attend differently (layer_types)',
    hub['use_bidirectional_attention'] === true &&
      'attention to later positions (use_bidirectional_attention)',
    activation !== traits.activation && `the activation "${activation}" (hidden_act)`,
  ].filter((what) => what !== false);
  if (missing.length > 0)
    throw new Error(
      `this ${hub.model_type} model has ${missing.join(' and ')}, which is not supported here`,
    );
}

/** By the names that engines know; swish is another name of silu. */
function activationOf(hub: HubConfig): string {
  const name = hub.hidden_activation ?? hub.hidden_act ?? 'silu';
  return name === 'swish' ? 'silu' : name;
}

/** A window at least as wide as the context has no effect. */
function slidingWindowOf(hub: HubConfig, traits: Traits): number | null {
  const window = traits.window === 'never' ? null : (hub.sliding_window ?? null);
  return window === null || window >= hub.max_position_embeddings ? null : window;
}

/** In Gemma every `sliding_window_pattern`-th block attends to all positions, the others to a window. */
function layerTypesOf(hub: HubConfig, traits: Traits): string[] | null {
  if (traits.window !== 'by block') return null;
  if (hub.layer_types) return hub.layer_types;
  const pattern = hub.sliding_window_pattern ?? 1;
  return eachBlock(hub, (block) =>
    (block + 1) % pattern === 0 ? 'full_attention' : 'sliding_attention',
  );
}

/** SmolLM3: the list counts before the interval, and may be longer than the model (`SmolLM3Config`). */
function rotatingBlocksOf(hub: HubConfig, traits: Traits): { no_rope_layers?: number[] } {
  const { no_rope_layers: list, no_rope_layer_interval: interval } = hub;
  if (!traits.mayOmitRotary || (list === undefined && interval === undefined)) return {};
  if (list && list.length < hub.num_hidden_layers)
    throw new Error(
      `config.json cannot be right: it has no_rope_layers for ${list.length} blocks, and ${hub.num_hidden_layers} blocks`,
    );
  const rotates = (block: number): boolean =>
    list ? list[block] !== 0 : (block + 1) % (interval ?? Infinity) !== 0;
  return { no_rope_layers: eachBlock(hub, (block) => (rotates(block) ? 1 : 0)) };
}

function eachBlock<T>(hub: HubConfig, valueOf: (block: number) => T): T[] {
  const blocks = Math.min(hub.num_hidden_layers, maxBlocks);
  return Array.from({ length: blocks }, (_, block) => valueOf(block));
}

const scoreFields = [
  'query_pre_attn_scalar',
  'attn_logit_softcapping',
  'final_logit_softcapping',
] as const;

const multiplierFields = [
  'embedding_multiplier',
  'residual_multiplier',
  'attention_multiplier',
  'logits_scaling',
] as const;

function pick(hub: HubConfig, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, hub[name]]));
}

function idsOf(ids: number | number[] | null | undefined): number[] {
  if (ids === null || ids === undefined) return [];
  return Array.isArray(ids) ? ids : [ids];
}

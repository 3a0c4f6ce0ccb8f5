/**
 * Reads the rotary settings of a Hugging Face `config.json`, from the fields of older and newer files, as
 * transformers does (`modeling_rope_utils.py`: `convert_rope_params_to_dict`, `standardize_rope_params`).
 */
import * as v from 'valibot';
import { RopeScalingSchema, type ModelConfig, type RopeScaling } from '../../model/config.ts';
import { traitsByType } from '../../model/traits.ts';
import type { HubFamily } from './hub-families.ts';

const Settings = v.looseObject({
  rope_type: v.optional(v.string()),
  type: v.optional(v.string()),
  rope_theta: v.optional(v.number()),
  partial_rotary_factor: v.optional(v.number()),
  factor: v.optional(v.number()),
  attention_factor: v.optional(v.number()),
  original_max_position_embeddings: v.optional(v.number()),
});

type Settings = v.InferOutput<typeof Settings>;

/** One setting for all blocks, or one for each kind of block. */
const SettingsByKind = v.looseObject({
  ...Settings.entries,
  full_attention: v.optional(Settings),
  sliding_attention: v.optional(Settings),
});

type Given = v.InferOutput<typeof SettingsByKind>;

/** Fields of `config.json` about rotary positions. */
export const rotaryFields = {
  max_position_embeddings: v.optional(v.number(), 2048),
  original_max_position_embeddings: v.optional(v.number()),
  rope_theta: v.optional(v.number()),
  rope_local_base_freq: v.optional(v.number()),
  partial_rotary_factor: v.optional(v.number()),
  rope_scaling: v.optional(SettingsByKind),
  /** The same in newer files, with `rope_theta` and `partial_rotary_factor` inside. */
  rope_parameters: v.optional(SettingsByKind),
};

type RotaryFields = v.InferOutput<v.ObjectSchema<typeof rotaryFields, undefined>> & {
  model_type: string;
};

type Rotary = Pick<
  ModelConfig,
  'rope_theta' | 'rope_local_base_freq' | 'rope_scaling' | 'partial_rotary_factor'
>;

/** @throws Error that names a way of rotating that is not supported */
export function rotaryOf(hub: RotaryFields, { computesAs, mayRotatePart }: HubFamily): Rotary {
  const { hasLocalRotary } = traitsByType[computesAs];
  const { full, sliding } = settingsOf(hub);
  const theta = full.rope_theta ?? hub.rope_parameters?.rope_theta ?? hub.rope_theta ?? 10_000;
  const scaling = scalingOf(hub, full);
  const share = full.partial_rotary_factor ?? hub.partial_rotary_factor ?? 1;
  const slidingShare = sliding?.partial_rotary_factor ?? share;
  if (!mayRotatePart && (share !== 1 || slidingShare !== 1))
    refuse(hub, 'rotary over part of a head (partial_rotary_factor)');
  if (share !== slidingShare)
    refuse(hub, 'blocks that rotate different parts of a head (partial_rotary_factor)');
  if (sliding && hasLocalRotary && scalingOf(hub, sliding) !== null)
    refuse(hub, 'a stretched context in its blocks with a window (rope_parameters)');
  const differs = (): boolean =>
    (sliding?.rope_theta ?? theta) !== theta ||
    JSON.stringify(sliding && scalingOf(hub, sliding)) !== JSON.stringify(scaling);
  if (sliding && !hasLocalRotary && differs())
    refuse(hub, 'blocks that rotate differently (rope_parameters)');
  return {
    rope_theta: theta,
    rope_local_base_freq: hasLocalRotary
      ? (sliding?.rope_theta ?? hub.rope_local_base_freq ?? null)
      : null,
    rope_scaling: scaling,
    ...(share !== 1 && { partial_rotary_factor: share }),
  };
}

/** `rope_scaling` counts before `rope_parameters`, unless it is empty. `sliding` is there if kinds of blocks differ. */
function settingsOf(hub: RotaryFields): { full: Settings; sliding: Settings | null } {
  const older: Given = hub.rope_scaling ?? {};
  const given = Object.keys(older).length > 0 ? older : (hub.rope_parameters ?? older);
  const full = given.full_attention ?? given.sliding_attention ?? given;
  return { full, sliding: given.sliding_attention ?? null };
}

function scalingOf(hub: RotaryFields, scaling: Settings): RopeScaling | null {
  const type = scaling.rope_type ?? scaling.type ?? 'default';
  if (type === 'default') return null;
  const result = v.safeParse(RopeScalingSchema, completed(hub, scaling, type));
  if (!result.success)
    throw new Error(
      `this model stretches its context by ${JSON.stringify(type)}, which is not supported in this form; ` +
        'linear, llama3 and longrope are',
    );
  return result.output;
}

/** With the values that the file leaves out. */
function completed(hub: RotaryFields, scaling: Settings, type: string): unknown {
  const original =
    hub.original_max_position_embeddings ??
    scaling.original_max_position_embeddings ??
    hub.max_position_embeddings;
  // Phi-3 called it "su" at first, and "yarn" for a while (`Phi3Config`).
  const isLong =
    type === 'longrope' || type === 'su' || (type === 'yarn' && hub.model_type === 'phi3');
  if (isLong)
    return {
      ...scaling,
      rope_type: 'longrope',
      original_max_position_embeddings: original,
      attention_factor: scaling.attention_factor ?? longFactor(hub, scaling, original),
    };
  return {
    ...scaling,
    rope_type: type,
    ...(type === 'llama3' && { original_max_position_embeddings: original }),
  };
}

/** As transformers derives it (`_compute_longrope_parameters`). */
function longFactor(hub: RotaryFields, { factor }: Settings, original: number): number {
  const times = factor ?? hub.max_position_embeddings / original;
  return times > 1 ? Math.sqrt(1 + Math.log(times) / Math.log(original)) : 1;
}

function refuse(hub: RotaryFields, what: string): never {
  throw new Error(`this ${hub.model_type} model has ${what}, which is not supported here`);
}

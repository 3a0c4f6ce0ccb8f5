/** Reads the rotary settings of a Hugging Face `config.json`, from the fields of older and newer files. */
import * as v from 'valibot';
import { RopeScalingSchema, type ModelConfig, type RopeScaling } from '../../model/config.ts';

const Parameters = v.looseObject({ rope_theta: v.optional(v.number()) });

/** Fields of `config.json` about rotary positions. */
export const rotaryFields = {
  max_position_embeddings: v.optional(v.number(), 2048),
  original_max_position_embeddings: v.optional(v.nullable(v.number())),
  rope_theta: v.optional(v.number()),
  rope_local_base_freq: v.optional(v.nullable(v.number())),
  rope_scaling: v.optional(v.nullable(v.looseObject({}))),
  /** In newer files: one setting for all blocks, or one for each kind of block. */
  rope_parameters: v.optional(
    v.nullable(
      v.looseObject({
        rope_theta: v.optional(v.number()),
        full_attention: v.optional(Parameters),
        sliding_attention: v.optional(Parameters),
      }),
    ),
  ),
};

type RotaryFields = v.InferOutput<v.ObjectSchema<typeof rotaryFields, undefined>>;

/** @throws Error that names a way of scaling that is not supported */
export function rotaryOf(
  hub: RotaryFields,
): Record<'rope_theta' | 'rope_local_base_freq' | 'rope_scaling', unknown> &
  Pick<ModelConfig, 'rope_scaling'> {
  const newer = hub.rope_parameters?.full_attention ?? hub.rope_parameters ?? null;
  return {
    rope_theta: newer?.rope_theta ?? hub.rope_theta ?? 10_000,
    rope_local_base_freq:
      hub.rope_parameters?.sliding_attention?.rope_theta ?? hub.rope_local_base_freq ?? null,
    rope_scaling: scalingOf(hub, hub.rope_scaling ?? newer),
  };
}

function scalingOf(hub: RotaryFields, scaling: Record<string, unknown> | null): RopeScaling | null {
  const type = scaling?.['rope_type'] ?? scaling?.['type'] ?? 'default';
  if (scaling === null || type === 'default') return null;
  // Phi-3 called it "su" at first.
  const isLong = type === 'longrope' || type === 'su';
  const result = v.safeParse(
    RopeScalingSchema,
    isLong ? longScaling(hub, scaling) : { ...scaling, rope_type: type },
  );
  if (!result.success)
    throw new Error(
      `this model stretches its context by ${JSON.stringify(type)}, which is not supported in this form; ` +
        'linear, llama3 and longrope are',
    );
  return result.output;
}

/** Values that the file leaves out are derived as transformers does (`_compute_longrope_parameters`). */
function longScaling(hub: RotaryFields, scaling: Record<string, unknown>): unknown {
  const original =
    hub.original_max_position_embeddings ?? scaling['original_max_position_embeddings'];
  const length = Number(original);
  const factor = hub.max_position_embeddings / length;
  return {
    ...scaling,
    rope_type: 'longrope',
    original_max_position_embeddings: original,
    attention_factor:
      scaling['attention_factor'] ??
      (factor > 1 ? Math.sqrt(1 + Math.log(factor) / Math.log(length)) : 1),
  };
}

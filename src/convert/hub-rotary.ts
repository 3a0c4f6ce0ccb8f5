/** How a Hugging Face `config.json` states the rotation of positions, in its older and its newer place. */
import * as v from 'valibot';
import { RopeScalingSchema, type ModelConfig, type RopeScaling } from '../model/config.ts';

const Parameters = v.looseObject({ rope_theta: v.optional(v.number()) });

/** Fields of `config.json` that are about rotation. */
export const rotaryFields = {
  max_position_embeddings: v.optional(v.number(), 2048),
  original_max_position_embeddings: v.optional(v.nullable(v.number())),
  rope_theta: v.optional(v.number()),
  rope_local_base_freq: v.optional(v.nullable(v.number())),
  rope_scaling: v.optional(v.nullable(v.looseObject({}))),
  /** Newer files: of all blocks, or by their kind. */
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

/** Throws, by name, at a stretching that is not known here. */
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
      `this model stretches its context by ${JSON.stringify(type)}, not supported here as it stands; ` +
        'linear, llama3 and longrope are',
    );
  return result.output;
}

/** What it leaves to be derived is derived as transformers does (`_compute_longrope_parameters`). */
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

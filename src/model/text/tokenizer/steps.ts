/** A step of a `tokenizer.json` that changes, cuts or decodes text, or a sequence of steps. */
import * as v from 'valibot';
import { cutBehaviours } from './cutting.ts';

/** Room for a pattern that lists all words of a large vocabulary's own. */
const longestPattern = 200_000;
/** Several times what any published file has. */
const mostSteps = 1000;

const pattern = v.pipe(
  v.string(),
  v.maxLength(longestPattern, `a search pattern of more than ${longestPattern} letters`),
);

const behaviour = v.pipe(
  v.string(),
  // Older files write it in small letters.
  v.transform((name) => cutBehaviours.find((known) => known.toLowerCase() === name.toLowerCase())),
  v.picklist(cutBehaviours, `expected one of ${cutBehaviours.join(', ')}`),
);

const stepFields = {
  type: v.string(),
  pattern: v.optional(
    v.union(
      [v.object({ String: pattern }), v.object({ Regex: pattern })],
      `expected a pattern of at most ${longestPattern} letters: { "String": … } or { "Regex": … }`,
    ),
  ),
  behavior: v.optional(behaviour),
  invert: v.optional(v.boolean()),
  content: v.optional(v.string()),
  prepend: v.optional(v.string()),
  replacement: v.optional(v.string()),
  prepend_scheme: v.optional(v.picklist(['first', 'always', 'never'])),
  add_prefix_space: v.nullish(v.boolean()),
  split: v.optional(v.boolean()),
  use_regex: v.optional(v.boolean()),
  individual_digits: v.optional(v.boolean()),
  strip_left: v.optional(v.boolean()),
  strip_right: v.optional(v.boolean()),
  delimiter: v.optional(v.string()),
  precompiled_charsmap: v.nullish(v.string()),
};

type StepFields = v.InferOutput<v.LooseObjectSchema<typeof stepFields, undefined>>;

export interface Step extends StepFields {
  normalizers?: Step[] | undefined;
  pretokenizers?: Step[] | undefined;
  processors?: Step[] | undefined;
  decoders?: Step[] | undefined;
}

const stepsOf = (entries: v.GenericSchema<unknown, Step>) =>
  v.optional(v.pipe(v.array(entries), v.maxLength(mostSteps, `more than ${mostSteps} steps`)));

/** A file nests sequences twice at most; a hostile one could else nest them without end. */
const single: v.GenericSchema<unknown, Step> = v.looseObject({
  ...stepFields,
  normalizers: v.optional(v.never('sequences too deep in each other')),
  pretokenizers: v.optional(v.never('sequences too deep in each other')),
  processors: v.optional(v.never('sequences too deep in each other')),
  decoders: v.optional(v.never('sequences too deep in each other')),
});

function sequenceOf(part: v.GenericSchema<unknown, Step>): v.GenericSchema<unknown, Step> {
  return v.looseObject({
    ...stepFields,
    normalizers: stepsOf(part),
    pretokenizers: stepsOf(part),
    processors: stepsOf(part),
    decoders: stepsOf(part),
  });
}

export const StepSchema = sequenceOf(sequenceOf(sequenceOf(single)));

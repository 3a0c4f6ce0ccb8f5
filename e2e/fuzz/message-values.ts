/** Valid messages of every kind that a schema knows, drawn from the schema itself: a new kind cannot be forgotten. */
import fc from 'fast-check';
import * as v from 'valibot';

export type Message = Record<string, unknown>;

/** So many messages of each kind. Throws for a schema with a part that nothing here can draw. */
export function messagesByKind(
  schema: v.GenericSchema,
  seed: number,
  count: number,
): ReadonlyMap<string, readonly Message[]> {
  const { options } = schema as unknown as { options: v.GenericSchema[] };
  return new Map(
    options.map((option) => {
      const isValid = (value: unknown): boolean => v.is(option, value);
      const drawn = fc.sample(valuesOf(option).filter(isValid), { seed, numRuns: count });
      const messages = drawn as Message[];
      return [String(messages[0]['kind']), messages];
    }),
  );
}

interface Part {
  type: string;
  entries?: Record<string, Part>;
  options?: (Part | string)[];
  item?: Part;
  wrapped?: Part;
  literal?: unknown;
  pipe?: Part[];
  requirement?: unknown;
}

function valuesOf(schema: unknown): fc.Arbitrary<unknown> {
  const part = schema as Part;
  const actions = part.pipe?.slice(1) ?? [];
  const limit = (type: string): number | undefined =>
    actions.find((action) => action.type === type)?.requirement as number | undefined;
  switch (part.type) {
    case 'variant':
    case 'union':
      return fc.oneof(...(part.options ?? []).map(valuesOf));
    case 'object':
    case 'strict_object':
      return fc.record(
        Object.fromEntries(
          Object.entries(part.entries ?? {}).map(([name, entry]) => [name, valuesOf(entry)]),
        ),
        { requiredKeys: requiredOf(part.entries ?? {}) },
      );
    case 'array':
      return fc.array(part.item ? valuesOf(part.item) : fc.constant(0), {
        minLength: limit('min_length') ?? 0,
        maxLength: Math.min(limit('max_length') ?? 4, 4),
      });
    case 'number': {
      const [min, max] = [limit('min_value') ?? 0, limit('max_value') ?? 2 ** 32];
      const isWhole = actions.some(({ type }) => type === 'integer');
      const few = fc.integer({ min: Math.ceil(min), max: Math.min(max, Math.ceil(min) + 8) });
      const any = isWhole
        ? fc.integer({ min, max: Math.min(max, Number.MAX_SAFE_INTEGER) })
        : fc.double({ min, max, noNaN: true });
      return fc.oneof(few, any);
    }
    case 'string': {
      const pattern = actions.find(({ type }) => type === 'regex')?.requirement;
      if (pattern instanceof RegExp) return fc.stringMatching(pattern);
      if (actions.some(({ type }) => type === 'url'))
        return fc.domain().map((host) => `https://${host}/`);
      const [minLength, maxLength] = [limit('min_length') ?? 0, limit('max_length') ?? 20];
      return fc.string({ minLength, maxLength: Math.min(maxLength, 40) });
    }
    case 'boolean':
      return fc.boolean();
    case 'literal':
      return fc.constant(part.literal);
    case 'picklist':
      return fc.constantFrom(...(part.options ?? []));
    case 'nullable':
      return fc.option(valuesOf(part.wrapped));
    case 'nullish':
    case 'optional':
    case 'exact_optional':
      return valuesOf(part.wrapped);
    case 'unknown':
      return fc.jsonValue({ maxDepth: 2 });
    default:
      throw new Error(`there is no way here to draw a ${part.type}: add one`);
  }
}

function requiredOf(entries: Record<string, Part>): string[] {
  return Object.keys(entries).filter(
    (name) => !['optional', 'exact_optional', 'nullish'].includes(entries[name].type),
  );
}

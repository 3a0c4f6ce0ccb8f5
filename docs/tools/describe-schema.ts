/** A valibot schema in words: each field's path, its type and its limits. */
import type * as v from 'valibot';
import { type Comments, noComments } from './comments.ts';

export interface FieldRow {
  /** `a[].b` is field b of each entry of the list a; `a:k.b` is field b of a where a's kind is k. */
  path: string;
  type: string;
  comment: string;
}

/** What the protocol is written with; anything else has to be learned here before it is used there. */
type Schema = (
  | v.ObjectSchema<v.ObjectEntries, undefined>
  | v.StrictObjectSchema<v.ObjectEntries, undefined>
  | v.VariantSchema<'kind', MessageSchema[], undefined>
  | v.ArraySchema<v.GenericSchema, undefined>
  | v.NullableSchema<v.GenericSchema, undefined>
  | v.OptionalSchema<v.GenericSchema, undefined>
  | v.ExactOptionalSchema<v.GenericSchema, undefined>
  | v.PicklistSchema<string[], undefined>
  | v.LiteralSchema<string, undefined>
  | v.StringSchema<undefined>
  | v.NumberSchema<undefined>
  | v.BooleanSchema<undefined>
  | v.UnknownSchema
) & { pipe?: readonly (Schema | Limit)[] };

type MessageSchema = v.ObjectSchema<
  v.ObjectEntries & { kind: v.LiteralSchema<string, undefined> },
  undefined
>;

interface Limit {
  kind: 'validation';
  type: string;
  requirement: unknown;
  message?: unknown;
}

export interface MessageText {
  kind: string;
  comment: string;
  fields: FieldRow[];
}

/** @param schema a variant by `kind` */
export function messagesOf(schema: unknown, { kinds }: Comments): MessageText[] {
  const variant = schema as Schema;
  if (variant.type !== 'variant')
    throw new Error(`A ${variant.type} is documented where a variant by kind is expected.`);
  return variant.options.map((option) => {
    const kind = option.entries.kind.literal;
    const comments = kinds.get(kind) ?? noComments;
    return { kind, comment: comments.text, fields: fieldsOf(option, '', comments) };
  });
}

/** The rows of what lies within; none for what has no fields. */
function fieldsOf(schema: Schema, path: string, comments: Comments): FieldRow[] {
  switch (schema.type) {
    case 'object':
    case 'strict_object':
      return Object.entries(schema.entries)
        .filter(([name, entry]) => !(name === 'kind' && entry.type === 'literal'))
        .flatMap(([name, entry]) => {
          const field = path === '' ? name : `${path}.${name}`;
          const own = comments.fields.get(name) ?? noComments;
          const row = { path: field, type: typeOf(entry as Schema), comment: own.text };
          return [row, ...fieldsOf(entry as Schema, field, own)];
        });
    case 'variant':
      return schema.options.flatMap((option) => {
        const kind = option.entries.kind.literal;
        const own = comments.kinds.get(kind) ?? noComments;
        return fieldsOf(option, `${path}:${kind}`, own);
      });
    case 'array':
      return fieldsOf(schema.item as Schema, `${path}[]`, comments);
    case 'nullable':
    case 'optional':
    case 'exact_optional':
      return fieldsOf(schema.wrapped as Schema, path, comments);
    default:
      return [];
  }
}

function typeOf(schema: Schema): string {
  const limits = limitsOf(schema);
  switch (schema.type) {
    case 'object':
    case 'strict_object':
      return withChecks('object', limits);
    case 'variant':
      return `object of kind ${oneOf(schema.options.map((option) => option.entries.kind.literal))}`;
    case 'array': {
      const entries = typeOf(schema.item as Schema);
      return withChecks(`list${between(limits, '_length', 'entries')}: ${entries}`, limits);
    }
    case 'nullable':
      return `${typeOf(schema.wrapped as Schema)}, or null`;
    case 'optional':
    case 'exact_optional':
      return `${typeOf(schema.wrapped as Schema)}; may be missing`;
    case 'picklist':
      return oneOf(schema.options);
    case 'literal':
      return `\`${schema.literal}\``;
    case 'string':
      return withChecks(`text${between(limits, '_length', 'characters')}${form(limits)}`, limits);
    case 'number': {
      const whole = limits.some(({ type }) => type === 'integer') ? 'whole number' : 'number';
      return withChecks(`${whole}${between(limits, '_value', '')}`, limits);
    }
    case 'boolean':
      return 'true or false';
    case 'unknown':
      return 'anything';
    default:
      throw new Error(
        `docs/tools/describe-schema.ts has no words for a schema of type ${(schema as { type: string }).type}.`,
      );
  }
}

const knownLimits =
  /^(integer|finite|check|url|regex|min_length|max_length|min_value|max_value|safe_integer)$/;

/** Of a pipe within a pipe too. */
function limitsOf({ pipe = [] }: Schema): Limit[] {
  return pipe.flatMap((part, index) => {
    if (part.kind !== 'validation') return index === 0 && part.pipe ? limitsOf(part) : [];
    if (!knownLimits.test(part.type))
      throw new Error(`docs/tools/describe-schema.ts has no words for the limit ${part.type}.`);
    return [part];
  });
}

/** ` of at most 64 entries`: the strictest of each, since a pipe may narrow another. */
function between(limits: Limit[], suffix: '_length' | '_value', unit: string): string {
  const of = (type: string): number[] =>
    limits.flatMap(({ type: each, requirement }) => (each === type ? [Number(requirement)] : []));
  const least = of(`min${suffix}`);
  const most = of(`max${suffix}`);
  const low = least.length > 0 ? amount(Math.max(...least)) : null;
  const high = most.length > 0 ? amount(Math.min(...most)) : null;
  const end = unit === '' ? '' : ` ${unit}`;
  if (low !== null && high !== null) return `, ${low} to ${high}${end}`;
  if (high !== null) return `, at most ${high}${end}`;
  return low === null ? '' : `, at least ${low}${end}`;
}

/** `2^50` for powers of two too long to read. */
function amount(value: number): string {
  for (const [offset, said] of [
    [0, ''],
    [1, ' − 1'],
  ] as const) {
    const power = Math.log2(value + offset);
    if (value >= 2 ** 16 && Number.isInteger(power)) return `2^${power}${said}`;
  }
  return value < 1e-3 && value > 0 ? String(value) : value.toLocaleString('en');
}

function form(limits: Limit[]): string {
  return limits
    .map(({ type, requirement }) => {
      if (type === 'url') return ', a URL';
      return requirement instanceof RegExp
        ? `, \`${requirement.source.replaceAll('|', '\\|')}\``
        : '';
    })
    .join('');
}

function withChecks(said: string, limits: Limit[]): string {
  const checks = limits.flatMap(({ type, message }) =>
    type === 'check' && typeof message === 'string' ? [message] : [],
  );
  return [said, ...checks].join('; ');
}

function oneOf(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { noComments } from './comments.ts';
import { messagesOf } from './describe-schema.ts';

/** The rows of a message with this one field, as `path: type`. */
function rowsOf(field: v.GenericSchema): string[] {
  const schema = v.variant('kind', [v.object({ kind: v.literal('message'), field })]);
  const [{ fields }] = messagesOf(schema, noComments);
  return fields.map(({ path, type }) => `${path}: ${type}`);
}

describe('a field is told with its limits', () => {
  it.each([
    [
      v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 50)),
      'whole number, 0 to 2^50',
    ],
    [v.pipe(v.pipe(v.number(), v.maxValue(9)), v.maxValue(5)), 'number, at most 5'],
    [v.pipe(v.string(), v.regex(/^(a|b)$/)), 'text, `^(a\\|b)$`'],
    [v.nullable(v.boolean()), 'true or false, or null'],
    [v.exactOptional(v.picklist(['a', 'b'])), '`a`, `b`; may be missing'],
    [v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(4)), 'list, 1 to 4 entries: text'],
  ])('%#', (schema, said) => {
    expect(rowsOf(schema)).toEqual([`field: ${said}`]);
  });

  it('and so are the fields within it, by kind where it has kinds', () => {
    const range = v.pipe(
      v.object({ first: v.number() }),
      v.check(() => true, 'must be a range'),
    );
    expect(rowsOf(v.array(range))).toEqual([
      'field: list: object; must be a range',
      'field[].first: number',
    ]);
    const status = v.variant('kind', [
      v.object({ kind: v.literal('idle') }),
      v.object({ kind: v.literal('failed'), reason: v.string() }),
    ]);
    expect(rowsOf(status)).toEqual([
      'field: object of kind `idle`, `failed`',
      'field:failed.reason: text',
    ]);
  });

  it('or refused where there are no words for it yet', () => {
    expect(() => rowsOf(v.date())).toThrow('no words for a schema of type date');
    expect(() => rowsOf(v.pipe(v.string(), v.email()))).toThrow('no words for the limit email');
  });
});

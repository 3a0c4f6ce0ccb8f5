/** Python's `text.format(…)`, and the format after a colon. */
import { TemplateFault, UnsupportedFeature } from '../fault.ts';
import { floatDigits, integerDigits } from './format-number.ts';
import { floatText, quoted, reprOf, textOf } from '../values/print.ts';
import { aligned } from './text-methods.ts';
import {
  asText,
  checkTextLength,
  codePoints,
  isNumber,
  plainNumber,
  typeName,
  type Arguments,
  type Value,
} from '../values/values.ts';

/** How a field such as `{0.name[key]}` reads into its value. */
interface LookUps {
  attributeOf: (object: Value, name: string) => Value;
  itemOf: (object: Value, key: Value) => Value;
}

const field = /\{\{|\}\}|\{([^{}!:]*)(?:!([a-z]))?(?::([^{}]*))?\}|[{}]/g;

/** @throws TemplateFault for a field without a value, UnsupportedFeature for a format inside a format */
export function formatBraces(
  format: string,
  args: Arguments,
  { attributeOf, itemOf }: LookUps,
): string {
  let nextPlace = 0;
  const written = format.replace(field, (...match) => {
    const [whole, path, conversion, spec] = match as unknown as [string, ...(string | undefined)[]];
    if (whole === '{{') return '{';
    if (whole === '}}') return '}';
    if (path === undefined) throw new UnsupportedFeature('a field of format() with braces inside');
    const [first = ''] = /^[^.[]*/.exec(path) ?? [];
    const start = first === '' ? String(nextPlace++) : first;
    let value = argumentAt(start, args);
    for (const [, name, key] of path.slice(first.length).matchAll(/\.([^.[]+)|\[([^\]]+)\]/g))
      value = key ? itemOf(value, /^\d+$/.test(key) ? BigInt(key) : key) : attributeOf(value, name);
    if (conversion === 'r') value = reprOf(value);
    else if (conversion === 's') value = textOf(value);
    else if (conversion !== undefined)
      throw new UnsupportedFeature(`the conversion !${conversion} of format()`);
    return formatted(value, spec ?? '');
  });
  checkTextLength(written.length);
  return written;
}

function argumentAt(place: string, { positional, named }: Arguments): Value {
  if (!/^\d+$/.test(place)) {
    const value = named.get(place);
    if (value === undefined) throw new TemplateFault(`format() lacks a value for ${quoted(place)}`);
    return value;
  }
  if (Number(place) >= positional.length)
    throw new TemplateFault(`Replacement index ${place} out of range for positional args tuple`);
  return positional[Number(place)];
}

const specPattern =
  /^(?:([\s\S])?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u;

/** `format(value, spec)`. */
export function formatted(value: Value, spec: string): string {
  if (spec === '') return textOf(value);
  const parts = specPattern.exec(spec) as (string | undefined)[] | null;
  if (!parts) throw new TemplateFault(`Invalid format specifier ${quoted(spec)}`);
  const [, fill, align, sign, alternate, zero, width, group, precision, type] = parts;
  if (type === 'n' || type === 'c') throw new UnsupportedFeature(`the format "${type}" of numbers`);
  const digits = precision === undefined ? undefined : Number(precision);
  const filler = fill ?? (zero === undefined ? ' ' : '0');
  const least = Number(width ?? 0);
  checkTextLength(least);
  const text = asText(value);
  if (text !== undefined) {
    if (type !== undefined && type !== 's')
      throw new TemplateFault(`Unknown format code '${type}' for object of type 'str'`);
    const cut = digits === undefined ? text : codePoints(text).slice(0, digits).join('');
    return aligned(cut, least, filler, sideOf(align ?? '<'));
  }
  if (!isNumber(value) || type === 's')
    throw new TemplateFault(`unsupported format string passed to ${typeName(value)}.__format__`);
  if (typeof value === 'boolean' && type === undefined)
    return aligned(value ? '1' : '0', least, filler, sideOf(align ?? '>'));
  const number = plainNumber(value);
  const isNegative = number < 0 || Object.is(number, -0);
  const mark = (isNegative ? '-' : sign === '-' ? '' : (sign ?? '')) + prefixOf(type, alternate);
  const body = grouped(bodyOf(number, type, digits, alternate !== undefined), group);
  const side = align ?? (zero === undefined ? '>' : '=');
  if (side !== '=') return aligned(mark + body, least, filler, sideOf(side));
  if (group !== undefined && zero !== undefined)
    throw new UnsupportedFeature('a format with zeros and separators together');
  return mark + aligned(body, least - mark.length, filler, 'right');
}

function sideOf(align: string): 'left' | 'right' | 'middle' {
  if (align === '^') return 'middle';
  return align === '<' ? 'left' : 'right';
}

function prefixOf(type: string | undefined, alternate: string | undefined): string {
  return alternate !== undefined && type !== undefined && 'xXob'.includes(type) ? `0${type}` : '';
}

function bodyOf(
  number: bigint | number,
  type: string | undefined,
  precision: number | undefined,
  alternate: boolean,
): string {
  if (typeof number === 'bigint') {
    if (type === undefined || 'dxXob'.includes(type)) return integerDigits(number, type ?? 'd');
    return floatDigits(Number(number), type, precision, alternate);
  }
  if (type !== undefined && 'dxXob'.includes(type))
    throw new TemplateFault(`Unknown format code '${type}' for object of type 'float'`);
  if (type === undefined && precision === undefined) return floatText(Math.abs(number));
  if (type === undefined) throw new UnsupportedFeature('a precision without a type of number');
  return floatDigits(number, type, precision, alternate);
}

function grouped(body: string, group: string | undefined): string {
  if (group === undefined) return body;
  return body.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, group));
}

/** Filters that make numbers, and `default`. */
import { given } from '../values/arguments.ts';
import { TemplateFault } from '../fault.ts';
import { truncated } from '../text/format-number.ts';
import { roundHalfEven } from '../values/operators.ts';
import { textOf } from '../values/print.ts';
import {
  asText,
  isNumber,
  isTrue,
  plainNumber,
  typeName,
  Undefined,
  type Arguments,
  type Value,
} from '../values/values.ts';
import { strip } from '../text/whitespace.ts';
import type { Filter } from './filter.ts';

export const numberFilters: Record<string, Filter> = {
  abs: (value) => {
    const number = numberOf('abs', value);
    return number < 0 ? -number : number;
  },
  d: withDefault,
  default: withDefault,
  filesizeformat: fileSize,
  float: (value, args) =>
    floatOf(used(value)) ?? defaultNumber(given('float', args, ['default']).value('default'), 0),
  int: integerOf,
  round: rounded,
};

function numberOf(name: string, value: Value): bigint | number {
  if (!isNumber(value))
    throw new TemplateFault(`bad operand type for ${name}(): '${typeName(value)}'`);
  return plainNumber(value);
}

/** The value, unless there is none: then it cannot be used. */
function used(value: Value): Value {
  return value instanceof Undefined ? value.fail() : value;
}

function withDefault(value: Value, args: Arguments): Value {
  const parameters = given('default', args, ['default_value', 'boolean']);
  const isMissing = value instanceof Undefined || (parameters.flag('boolean') && !isTrue(value));
  return isMissing ? defaultOf(parameters.value('default_value')) : value;
}

function defaultNumber(value: Value | undefined, otherwise: Value): Value {
  return value === undefined ? otherwise : value;
}

function defaultOf(value: Value | undefined): Value {
  return value === undefined ? '' : value;
}

/** `float(value)`; undefined where Python would raise. */
function floatOf(value: Value): number | undefined {
  if (isNumber(value)) return Number(value);
  const text = asText(value);
  if (text === undefined) return undefined;
  const digits = strip(text).toLowerCase();
  const special = /^([+-]?)(inf|infinity|nan)$/.exec(digits);
  if (special) return special[2] === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity;
  const isNumeral = /^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/.test(
    digits,
  );
  return isNumeral ? Number(digits.replaceAll('_', '')) : undefined;
}

function integerOf(value: Value, args: Arguments): Value {
  const parameters = given('int', args, ['default', 'base']);
  const otherwise = defaultNumber(parameters.value('default'), 0n);
  const text = asText(used(value));
  const whole = text === undefined ? undefined : integerIn(text, parameters.integer('base') ?? 10);
  if (whole !== undefined) return whole;
  if (typeof value === 'bigint' || typeof value === 'boolean') return BigInt(value);
  const float = floatOf(value);
  return float === undefined || !Number.isFinite(float) ? otherwise : truncated(float);
}

const prefixes: Partial<Record<number, string>> = { 2: '0b', 8: '0o', 16: '0x' };

/** `int(text, base)`. */
function integerIn(text: string, base: number): bigint | undefined {
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/s.exec(strip(text).toLowerCase()) ?? [];
  const prefix = prefixes[base] ?? '';
  const digits = prefix !== '' && body.startsWith(prefix) ? body.slice(2) : body;
  if (!/^[0-9a-z]+(_[0-9a-z]+)*$/.test(digits)) return undefined;
  let whole = 0n;
  for (const digit of digits.replaceAll('_', '')) {
    const value = parseInt(digit, 36);
    if (value >= base) return undefined;
    whole = whole * BigInt(base) + BigInt(value);
  }
  return sign === '-' ? -whole : whole;
}

function rounded(value: Value, args: Arguments): Value {
  const parameters = given('round', args, ['precision', 'method']);
  const digits = parameters.integer('precision') ?? 0;
  const method = parameters.text('method') ?? 'common';
  const number = numberOf('round', value);
  const scale = 10 ** digits;
  switch (method) {
    case 'common':
      if (typeof number === 'number') return roundHalfEven(number, digits);
      return digits >= 0 ? number : roundedWhole(number, digits);
    case 'ceil':
      return Math.ceil(Number(number) * scale) / scale;
    case 'floor':
      return Math.floor(Number(number) * scale) / scale;
    default:
      throw new TemplateFault('method must be common, ceil or floor');
  }
}

function roundedWhole(number: bigint, digits: number): bigint {
  const unit = 10n ** BigInt(-digits);
  const floor = number / unit - (number % unit < 0n ? 1n : 0n);
  const twice = (number - floor * unit) * 2n;
  const isUp = twice > unit || (twice === unit && floor % 2n !== 0n);
  return (isUp ? floor + 1n : floor) * unit;
}

function fileSize(value: Value, args: Arguments): Value {
  const isBinary = given('filesizeformat', args, ['binary']).flag('binary');
  const bytes = floatOf(value);
  if (bytes === undefined) throw new TemplateFault(`could not convert to float: ${textOf(value)}`);
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const units = Array.from('kMGTPEZY', (letter) =>
    isBinary ? `${letter.toUpperCase()}iB` : `${letter}B`,
  );
  const place = units.findIndex((_, i) => bytes < base ** (i + 2));
  const power = place === -1 ? units.length - 1 : place;
  return `${(bytes / base ** (power + 1)).toFixed(1)} ${units[power]}`;
}

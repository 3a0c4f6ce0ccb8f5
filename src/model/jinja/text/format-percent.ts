/** Python's `text % values`, also as the filter `format`. */
import { TemplateFault } from '../fault.ts';
import { floatDigits, integerDigits, truncated } from './format-number.ts';
import { reprOf, textOf } from '../values/print.ts';
import {
  checkTextLength,
  codePoints,
  Dict,
  isNumber,
  plainNumber,
  Tuple,
  typeName,
  type Value,
} from '../values/values.ts';

const directive = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?([\s\S])?/g;

/** @throws TemplateFault where values are missing, left over, or of another type */
export function formatPercent(format: string, values: Value): string {
  const list = values instanceof Tuple ? values.items : [values];
  let used = 0;
  const nextValue = (): Value => {
    if (used >= list.length) throw new TemplateFault('not enough arguments for format string');
    return list[used++];
  };
  const width = (text: string | undefined): number | undefined => {
    if (text !== '*') return text === undefined ? undefined : Number(text);
    const value = nextValue();
    if (typeof value !== 'bigint') throw new TemplateFault('* wants int');
    return Number(value);
  };

  const written = format.replace(directive, (...match) => {
    const [whole, name, flags, least, precision, type] = match as unknown as [
      string,
      ...(string | undefined)[],
    ];
    if (type === undefined) throw new TemplateFault('incomplete format');
    if (type === '%') return '%';
    const options = {
      flags: flags ?? '',
      width: width(least),
      precision: whole.includes('.') ? (width(precision) ?? 0) : undefined,
    };
    if (name !== undefined) {
      if (!(values instanceof Dict)) throw new TemplateFault('format requires a mapping');
      const value = values.get(name);
      if (value === undefined)
        throw new TemplateFault(`the format has no value for ${reprOf(name)}`);
      return one(value, type, options);
    }
    return one(nextValue(), type, options);
  });
  if (used < list.length && !(values instanceof Dict))
    throw new TemplateFault('not all arguments converted during string formatting');
  checkTextLength(written.length);
  return written;
}

interface Options {
  flags: string;
  width: number | undefined;
  precision: number | undefined;
}

function one(value: Value, type: string, { flags, width = 0, precision }: Options): string {
  checkTextLength(width);
  const [sign, digits] = converted(value, type, flags, precision);
  const missing = Math.max(0, width - codePoints(sign + digits).length);
  if (flags.includes('-')) return sign + digits + ' '.repeat(missing);
  if (flags.includes('0') && !'sra'.includes(type)) return sign + '0'.repeat(missing) + digits;
  return ' '.repeat(missing) + sign + digits;
}

function converted(
  value: Value,
  type: string,
  flags: string,
  precision: number | undefined,
): [sign: string, digits: string] {
  const cut = (text: string): string =>
    precision === undefined ? text : codePoints(text).slice(0, precision).join('');
  if (type === 's') return ['', cut(textOf(value))];
  if (type === 'r') return ['', cut(reprOf(value))];
  if (type === 'c') return ['', characterOf(value)];
  if (!/[diuxXoeEfFgG]/.test(type))
    throw new TemplateFault(`unsupported format character '${type}'`);
  if (!isNumber(value))
    throw new TemplateFault(`%${type} format: a number is required, not ${typeName(value)}`);
  const number = plainNumber(value);
  const isNegative = number < 0 || Object.is(number, -0);
  const sign = isNegative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  if (/[eEfFgG]/.test(type))
    return [sign, floatDigits(Number(number), type, precision, flags.includes('#'))];
  if (typeof number === 'number' && !/[diu]/.test(type))
    throw new TemplateFault(`%${type} format: an integer is required, not float`);
  const whole = typeof number === 'bigint' ? number : truncated(number);
  const prefix = flags.includes('#') && /[xXo]/.test(type) ? `0${type}` : '';
  return [sign + prefix, integerDigits(whole, type).padStart(precision ?? 0, '0')];
}

function characterOf(value: Value): string {
  if (typeof value === 'bigint') return String.fromCodePoint(Number(value));
  if (typeof value === 'string' && codePoints(value).length === 1) return value;
  throw new TemplateFault('%c requires int or char');
}

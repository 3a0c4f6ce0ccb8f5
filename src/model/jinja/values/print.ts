/** What Python's `str()` and `repr()` write. */
import { TemplateFault } from '../fault.ts';
import {
  Dict,
  Func,
  type Lazy,
  Markup,
  Range,
  Thing,
  Tuple,
  typeName,
  Undefined,
  View,
  type Value,
} from './values.ts';

/** `str(value)`. @throws TemplateFault for a value whose text would be an address in memory */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return '';
  return reprOf(value);
}

/** `repr(value)`. */
export function reprOf(value: Value): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return value.toString();
    case 'number':
      return floatText(value);
    case 'string':
      return quoted(value);
    default:
      break;
  }
  if (Array.isArray(value)) return `[${value.map(reprOf).join(', ')}]`;
  if (value instanceof Tuple) return tupleText(value.items);
  if (value instanceof Dict)
    return `{${value
      .entries()
      .map(([key, item]) => `${reprOf(key)}: ${reprOf(item)}`)
      .join(', ')}}`;
  if (value instanceof View) return `${value.kind}([${value.items.map(reprOf).join(', ')}])`;
  if (value instanceof Range) return rangeText(value);
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`;
  if (value instanceof Undefined) return 'Undefined';
  return objectText(value);
}

function objectText(value: Func | Lazy | Thing): string {
  if (value instanceof Thing && value.text) return value.text();
  throw new TemplateFault(
    `it prints ${value instanceof Func ? `the function ${value.name}` : `a ${typeName(value)}`}, ` +
      'whose text is an address in memory',
  );
}

function tupleText(items: readonly Value[]): string {
  return items.length === 1 ? `(${reprOf(items[0])},)` : `(${items.map(reprOf).join(', ')})`;
}

function rangeText({ start, stop, step }: Range): string {
  return step === 1n ? `range(${start}, ${stop})` : `range(${start}, ${stop}, ${step})`;
}

/** The shortest digits that give the same number, with an exponent below 1e-4 and from 1e16 on. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits, power] = value.toExponential().split('e');
  const exponent = Number(power);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const sign = exponent < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const plain = exponent < 0 ? decimals(digits, exponent) : String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

/** Digits such as 1.25 with a negative exponent, written without one. */
function decimals(digits: string, exponent: number): string {
  const sign = digits.startsWith('-') ? '-' : '';
  return `${sign}0.${'0'.repeat(-exponent - 1)}${digits.replace(/[-.]/g, '')}`;
}

/** Characters that Python's `str.isprintable` says no to, other than the plain space. */
const notPrintable = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

const shortEscapes: Partial<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
};

/** A text in quotes as `repr` writes it. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = Array.from(text, (character) => {
    const short = character === quote ? `\\${quote}` : shortEscapes[character];
    if (short !== undefined) return short;
    return notPrintable.test(character) ? escapeOf(character) : character;
  }).join('');
  return quote + inner + quote;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

export function isPrintable(text: string): boolean {
  return !Array.from(text).some((character) => notPrintable.test(character));
}

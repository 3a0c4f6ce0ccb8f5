/** What Python's operators make of values. */
import { TemplateFault } from '../fault.ts';
import { formatPercent } from '../text/format-percent.ts';
import { fixedHalfEven } from '../text/format-number.ts';
import { textOf } from './print.ts';
import type { Arithmetic, Comparison } from '../parse/syntax.ts';
import {
  areEqual,
  asInteger,
  asText,
  checkItemCount,
  checkTextLength,
  Dict,
  isNumber,
  itemsOf,
  Markup,
  plainNumber,
  Range,
  Tuple,
  typeName,
  Undefined,
  View,
  type Value,
} from './values.ts';

/** @throws TemplateFault for values that Python does not combine so */
export function arithmetic(operator: Arithmetic, left: Value, right: Value): Value {
  if (operator === '%' && asText(left) !== undefined) return formatPercent(textOf(left), right);
  if (left instanceof Undefined) return left.fail();
  if (right instanceof Undefined) return right.fail();
  if (isNumber(left) && isNumber(right))
    return numeric(operator, plainNumber(left), plainNumber(right));
  if (operator === '+') return joined(left, right) ?? noOperator(operator, left, right);
  if (operator === '*') return repeated(left, right) ?? noOperator(operator, left, right);
  return noOperator(operator, left, right);
}

function noOperator(operator: string, left: Value, right: Value): never {
  if (operator === '+' && typeof left === 'string')
    throw new TemplateFault(`can only concatenate str (not "${typeName(right)}") to str`);
  throw new TemplateFault(
    `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`,
  );
}

function joined(left: Value, right: Value): Value | undefined {
  const [start, end] = [asText(left), asText(right)];
  if (start !== undefined && end !== undefined) {
    checkTextLength(start.length + end.length);
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    return new Markup(htmlOf(left) + htmlOf(right));
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    checkItemCount(left.length + right.length);
    return [...left, ...right];
  }
  if (left instanceof Tuple && right instanceof Tuple)
    return new Tuple([...left.items, ...right.items]);
  return undefined;
}

/** The text with its HTML escaped, where it is not marked safe already. */
export function htmlOf(value: Value): string {
  if (value instanceof Markup) return value.text;
  const escapes: Partial<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    "'": '&#39;',
    '"': '&#34;',
  };
  return textOf(value).replace(/[&<>'"]/g, (character) => escapes[character] ?? character);
}

function repeated(left: Value, right: Value): Value | undefined {
  const [sequence, times] =
    asInteger(right) === undefined ? [right, asInteger(left)] : [left, asInteger(right)];
  if (times === undefined) return undefined;
  const count = Number(times > 0n ? times : 0n);
  const text = asText(sequence);
  if (text !== undefined) {
    checkTextLength(text.length * count);
    const repeatedText = text.repeat(count);
    return sequence instanceof Markup ? new Markup(repeatedText) : repeatedText;
  }
  const items = Array.isArray(sequence)
    ? sequence
    : sequence instanceof Tuple
      ? sequence.items
      : undefined;
  if (!items) return undefined;
  checkItemCount(items.length * count);
  const many = Array.from({ length: count }, () => items).flat(1);
  return Array.isArray(sequence) ? many : new Tuple(many);
}

function numeric(operator: Arithmetic, left: bigint | number, right: bigint | number): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    const whole = wholeNumbers(operator, left, right);
    if (whole !== undefined) return whole;
  }
  const [a, b] = [Number(left), Number(right)];
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / nonZero(b, 'division by zero');
    case '//':
      return Math.floor(a / nonZero(b, 'float floor division by zero'));
    case '%':
      return floatRemainder(a, nonZero(b, 'float modulo'));
    case '**':
      if (a === 0 && b < 0) throw new TemplateFault('0.0 cannot be raised to a negative power');
      if (a < 0 && !Number.isInteger(b)) throw new TemplateFault('a power is a complex number');
      return a ** b;
  }
}

/** Undefined where the result of two ints is a float. */
function wholeNumbers(operator: Arithmetic, a: bigint, b: bigint): bigint | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return bounded(a * b);
    case '//': {
      const quotient = a / nonZero(b, 'integer division or modulo by zero');
      return quotient * b !== a && a < 0n !== b < 0n ? quotient - 1n : quotient;
    }
    case '%': {
      const remainder = a % nonZero(b, 'integer modulo by zero');
      return remainder !== 0n && remainder < 0n !== b < 0n ? remainder + b : remainder;
    }
    case '**': {
      const digits = a.toString(2).length * Number(b);
      if (digits > maxBits) throw new TemplateFault('it makes a number of too many digits');
      return b < 0n ? undefined : a ** b;
    }
    case '/':
      nonZero(b, 'division by zero');
      return undefined;
  }
}

const maxBits = 100_000;

function bounded(value: bigint): bigint {
  if (value > 1n << BigInt(maxBits) || value < -(1n << BigInt(maxBits)))
    throw new TemplateFault('it makes a number of too many digits');
  return value;
}

function nonZero<Number_ extends bigint | number>(value: Number_, fault: string): Number_ {
  if (value == 0) throw new TemplateFault(fault);
  return value;
}

/** Has the sign of the divisor. */
function floatRemainder(a: number, b: number): number {
  const remainder = a % b;
  if (remainder === 0) return b < 0 ? -0 : 0;
  return remainder < 0 !== b < 0 ? remainder + b : remainder;
}

export function negated(value: Value): Value {
  if (value instanceof Undefined) return value.fail();
  if (!isNumber(value))
    throw new TemplateFault(`bad operand type for unary -: '${typeName(value)}'`);
  return -plainNumber(value);
}

export function plus(value: Value): Value {
  if (value instanceof Undefined) return value.fail();
  if (!isNumber(value))
    throw new TemplateFault(`bad operand type for unary +: '${typeName(value)}'`);
  return plainNumber(value);
}

export function compare(operator: Comparison, left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return areEqual(left, right);
    case '!=':
      return !areEqual(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    default:
      return isOrdered(operator, left, right);
  }
}

function isOrdered(operator: '<' | '<=' | '>' | '>=', left: Value, right: Value): boolean {
  if (isNumber(left) && isNumber(right)) {
    const [a, b] = [plainNumber(left), plainNumber(right)];
    switch (operator) {
      case '<':
        return a < b;
      case '<=':
        return a <= b;
      case '>':
        return a > b;
      case '>=':
        return a >= b;
    }
  }
  const order = orderOf(operator, left, right);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** Negative, zero or positive. Texts are in the order of their code points. */
export function orderOf(operator: string, left: Value, right: Value): number {
  if (left instanceof Undefined) return left.fail();
  if (right instanceof Undefined) return right.fail();
  if (isNumber(left) && isNumber(right)) {
    const [a, b] = [plainNumber(left), plainNumber(right)];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const [a, b] = [asText(left), asText(right)];
  if (a !== undefined && b !== undefined) return textOrder(a, b);
  if (Array.isArray(left) && Array.isArray(right)) return itemOrder(operator, left, right);
  if (left instanceof Tuple && right instanceof Tuple)
    return itemOrder(operator, left.items, right.items);
  throw new TemplateFault(
    `'${operator}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`,
  );
}

function textOrder(left: string, right: string): number {
  const [a, b] = [Array.from(left), Array.from(right)];
  for (let i = 0; i < Math.min(a.length, b.length); i++)
    if (a[i] !== b[i]) return (a[i].codePointAt(0) ?? 0) - (b[i].codePointAt(0) ?? 0);
  return a.length - b.length;
}

function itemOrder(operator: string, left: readonly Value[], right: readonly Value[]): number {
  const differs = left.findIndex((item, i) => i >= right.length || !areEqual(item, right[i]));
  if (differs === -1 || differs >= right.length) return left.length - right.length;
  return orderOf(operator, left[differs], right[differs]);
}

export function contains(container: Value, item: Value): boolean {
  const text = asText(container);
  if (text !== undefined) {
    const part = asText(item);
    if (part === undefined)
      throw new TemplateFault(
        `'in <string>' requires string as left operand, not ${typeName(item)}`,
      );
    return text.includes(part);
  }
  if (container instanceof Dict) return container.has(item);
  if (container instanceof Range || container instanceof View || container instanceof Tuple)
    return Array.from(itemsOf(container)).some((member) => areEqual(member, item));
  try {
    for (const member of itemsOf(container)) if (areEqual(member, item)) return true;
    return false;
  } catch (error) {
    if (!(error instanceof TemplateFault) || !error.message.endsWith('is not iterable'))
      throw error;
    throw new TemplateFault(`argument of type '${typeName(container)}' is not iterable`);
  }
}

/** `round(value, digits)`: a tie goes to the even neighbour. */
export function roundHalfEven(value: number, digits: number): number {
  if (!Number.isFinite(value) || digits > 300 || Math.abs(value) >= 1e21) return value;
  const sign = value < 0 ? -1 : 1;
  if (digits < 0) {
    const unit = 10 ** -digits;
    const units = Math.abs(value) / unit;
    const floor = Math.floor(units);
    const isUp = units - floor > 0.5 || (units - floor === 0.5 && floor % 2 === 1);
    return sign * (isUp ? floor + 1 : floor) * unit;
  }
  return sign * Number(fixedHalfEven(Math.abs(value), digits));
}

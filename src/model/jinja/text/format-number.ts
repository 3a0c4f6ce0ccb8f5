/** Numbers written by a format such as `05.2f`. */
import { TemplateFault, UnsupportedFeature } from '../fault.ts';
import { floatText } from '../values/print.ts';

/** @param type one of f, e, g and their capitals, or % */
export function floatDigits(value: number, type: string, precision = 6, alternate = false): string {
  const size = Math.abs(value);
  const isCapital = type !== '%' && type === type.toUpperCase();
  const text = Number.isFinite(size)
    ? finiteDigits(size, type.toLowerCase(), precision, alternate)
    : floatText(size);
  return isCapital ? text.toUpperCase() : text;
}

function finiteDigits(size: number, type: string, precision: number, alternate: boolean): string {
  if (precision > 100) throw new UnsupportedFeature('more than 100 digits after the point');
  switch (type) {
    case 'f':
      return fixed(size, precision);
    case '%':
      return `${fixed(size * 100, precision)}%`;
    case 'e':
      return exponential(size, precision);
    case 'g': {
      const digits = Math.max(1, precision);
      const exponent = Number(size.toExponential(digits - 1).split('e')[1]);
      const isPlain = exponent >= -4 && exponent < digits;
      const text = isPlain ? fixed(size, digits - 1 - exponent) : exponential(size, digits - 1);
      return alternate || !text.includes('.') ? text : text.replace(/\.?0+(?=e|$)/, '');
    }
    default:
      throw new TemplateFault(`unsupported format character '${type}'`);
  }
}

/** Decimal digits of the exact value; a tie goes to the even digit. */
function fixed(size: number, digits: number): string {
  if (size >= 1e21) {
    const whole = BigInt(size).toString();
    return digits > 0 ? `${whole}.${'0'.repeat(digits)}` : whole;
  }
  return fixedHalfEven(size, digits);
}

/**
 * Digits after the point as Python rounds them. `toFixed` is exact too, but takes the larger neighbour in a tie.
 *
 * @param size not negative, and below 1e21
 */
export function fixedHalfEven(size: number, digits: number): string {
  const places = Math.min(digits, 99);
  const exact = size.toFixed(100);
  const end = exact.indexOf('.') + 1 + places;
  const isTie = /^50*$/.test(exact.slice(end));
  const below = exact.slice(0, end).replace(/\.$/, '');
  return isTie && /[02468]$/.test(below) ? below : size.toFixed(places);
}

function exponential(size: number, digits: number): string {
  const [mantissa, power] = size.toExponential(digits).split('e');
  const exponent = Number(power);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** @param type one of d, i, u, x, X, o, b */
export function integerDigits(value: bigint, type: string): string {
  const size = value < 0n ? -value : value;
  switch (type) {
    case 'x':
      return size.toString(16);
    case 'X':
      return size.toString(16).toUpperCase();
    case 'o':
      return size.toString(8);
    case 'b':
      return size.toString(2);
    default:
      return size.toString();
  }
}

/** The whole number that a float is cut to. */
export function truncated(value: number): bigint {
  if (!Number.isFinite(value))
    throw new TemplateFault(`cannot convert float ${floatText(value)} to integer`);
  return BigInt(Math.trunc(value));
}

/**
 * Exact conversion of IEEE 754 half precision: f32 → f16 rounds to nearest, ties to even; f16 → f32 loses
 * nothing. Subnormals, infinities and NaN survive. A half is represented by its 16 bits.
 */

/** A typed array of halves, if the platform has one (Node 20 and some browsers do not). */
type HalfArray = { set(values: ArrayLike<number>): void } & ArrayLike<number>;
type HalfArrayConstructor = new (
  buffer: ArrayBufferLike,
  offset: number,
  count: number,
) => HalfArray;

function nativeHalfArray(): HalfArrayConstructor | undefined {
  return (globalThis as { Float16Array?: HalfArrayConstructor }).Float16Array;
}

/** The halves nearest to `source`, as bits. */
export function packF16(source: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(source.length);
  const Native = nativeHalfArray();
  if (Native) new Native(bits.buffer, 0, bits.length).set(source);
  else packByArithmetic(source, bits);
  return bits;
}

/** The values of halves given as bits, written to `out` if there is one. */
export function unpackF16(bits: Uint16Array, out = new Float32Array(bits.length)): Float32Array {
  const table = f16Values();
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]];
  return out;
}

let values: Float32Array | undefined;

/** The values of all 65,536 halves, by their bits: a table is the fastest conversion. */
export function f16Values(): Float32Array {
  if (values) return values;
  values = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) values[bits] = f16ToF32(bits);
  return values;
}

/** The value of one half, given as bits. */
export function f16ToF32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The half nearest to `value`, as bits. */
export function f32ToF16(value: number): number {
  scratch[0] = value;
  return halfOf(scratchBits[0]);
}

/** The conversion for platforms without arrays of halves; tested against every half. */
export function packByArithmetic(source: Float32Array, bits: Uint16Array): void {
  const words = new Uint32Array(1 << 12);
  const floats = new Float32Array(words.buffer);
  for (let start = 0; start < source.length; start += words.length) {
    const count = Math.min(words.length, source.length - start);
    floats.set(source.subarray(start, start + count));
    for (let i = 0; i < count; i++) bits[start + i] = halfOf(words[i]);
  }
}

/** Rounds the bits of an f32 to the bits of an f16. */
function halfOf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  // 65520 and beyond lies nearer to infinity than to 65504, the largest half.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounding = 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((magnitude - 0x38000000 + rounding) >>> 13);
  }
  if (magnitude < 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const kept = significand >>> shift;
  const lost = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (lost > half || (lost === half && (kept & 1) === 1) ? kept + 1 : kept);
}

/** Finds weights that are infinite or not a number, without converting stored weights to floats. */
import { blockLayout, type Dtype } from './dtype.ts';

/**
 * Byte offsets of the half-precision scales and minima in a quantisation block; its other bytes are small
 * integers.
 */
const halvesInBlock: Record<Exclude<Dtype, 'F32' | 'F16' | 'BF16'>, number[]> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
  IQ4_NL: [0],
  IQ4_XS: [0],
  IQ2_XXS: [0],
};

/**
 * The index of the first weight that is infinite or not a number, or of the first weight in its quantisation
 * block; -1 if all are finite.
 *
 * @param bytes whole blocks of the type
 */
export function firstNotFinite(dtype: Dtype, bytes: Uint8Array): number {
  switch (dtype) {
    case 'F32':
      return findFilledWord(bytes, 0x7f800000);
    case 'BF16':
      return findFilledHalf(bytes, 0x7f80);
    case 'F16':
      return findFilledHalf(bytes, 0x7c00);
    default: {
      const { blockSize, blockBytes } = blockLayout[dtype];
      const found = halvesInBlock[dtype]
        .map((at) => findFilled(bytes, blockBytes, at, 0x7c00))
        .filter((block) => block >= 0);
      return found.length === 0 ? -1 : Math.min(...found) * blockSize;
    }
  }
}

/** The index of the first 32-bit word whose exponent bits are all set. */
function findFilledWord(bytes: Uint8Array, exponent: number): number {
  const words = wordsOf(bytes);
  for (let index = 0; index < words.length; index++)
    if ((words[index] & exponent) === exponent) return index;
  return -1;
}

/** The index of the first 16-bit word whose exponent bits are all set; it checks two at a time. */
function findFilledHalf(bytes: Uint8Array, exponent: number): number {
  const words = wordsOf(bytes);
  const upper = exponent << 16;
  let pair = 0;
  while (
    pair < words.length &&
    (words[pair] & exponent) !== exponent &&
    (words[pair] & upper) !== upper
  )
    pair++;
  const found = findFilled(bytes.subarray(4 * pair), 2, 0, exponent);
  return found < 0 ? -1 : 2 * pair + found;
}

/** The whole 32-bit words of the bytes, without a copy if they are aligned. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const isAligned = bytes.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0;
  const { buffer, byteOffset, byteLength } = isAligned ? bytes : bytes.slice();
  return new Uint32Array(buffer, byteOffset, byteLength >> 2);
}

/** The same for one 16-bit word in every `stride` bytes. */
function findFilled(bytes: Uint8Array, stride: number, start: number, exponent: number): number {
  const mask = exponent >> 8;
  const low = exponent & 0xff;
  for (let at = start, index = 0; at < bytes.byteLength; at += stride, index++)
    if ((bytes[at + 1] & mask) === mask && (bytes[at] & low) === low) return index;
  return -1;
}

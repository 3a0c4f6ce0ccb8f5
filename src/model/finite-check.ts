/** Finds numbers that no weight may be, without turning stored weights into floats. */
import { blockLayout, type Dtype } from './dtype.ts';

/** Where in a block its half-precision scales and minima lie; all else in a block is small integers. */
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
 * The place of the first weight that is infinite or not a number, or of the block that it is in; -1 where
 * all are finite.
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

/** The first of the 32-bit words whose exponent bits are all set. */
function findFilledWord(bytes: Uint8Array, exponent: number): number {
  const words = wordsOf(bytes);
  for (let index = 0; index < words.length; index++)
    if ((words[index] & exponent) === exponent) return index;
  return -1;
}

/** The first of the 16-bit words whose exponent bits are all set, looked for two by two. */
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

/** As many whole words as there are; without a copy where the bytes lie at a multiple of four. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const isAligned = bytes.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0;
  const { buffer, byteOffset, byteLength } = isAligned ? bytes : bytes.slice();
  return new Uint32Array(buffer, byteOffset, byteLength >> 2);
}

/** The first of the 16-bit words, one each `stride` bytes, whose exponent bits are all set. */
function findFilled(bytes: Uint8Array, stride: number, start: number, exponent: number): number {
  const mask = exponent >> 8;
  const low = exponent & 0xff;
  for (let at = start, index = 0; at < bytes.byteLength; at += stride, index++)
    if ((bytes[at + 1] & mask) === mask && (bytes[at] & low) === low) return index;
  return -1;
}

/**
 * Converts numbers to their stored forms. Q8_0 and Q4_0 have ggml's layouts and rounding, so a file quantised
 * here has the same bytes as one quantised by ggml.
 */
import { blockLayout } from './dtype.ts';
import { f32ToF16, f16ToF32, packF16 } from './f16.ts';

/** The types that this can write. */
export type StorableDtype = 'F32' | 'F16' | 'Q8_0' | 'Q4_0';

/**
 * @param values whole blocks of the type (32 values for Q8_0 and Q4_0)
 * @returns the bytes of the blocks, in order
 */
export function quantise(dtype: StorableDtype, values: Float32Array): Uint8Array<ArrayBuffer> {
  switch (dtype) {
    case 'F32': {
      const copy = new Float32Array(values);
      return new Uint8Array(copy.buffer);
    }
    case 'F16':
      return new Uint8Array(packF16(values).buffer);
    case 'Q8_0':
      return quantiseQ8(values);
    case 'Q4_0':
      return quantiseQ4(values);
  }
}

/** Symmetric 8 bits: d = max|x| / 127, then q = round(x / d). */
function quantiseQ8(values: Float32Array): Uint8Array<ArrayBuffer> {
  const { blockSize, blockBytes } = blockLayout.Q8_0;
  const blocks = wholeBlocks('Q8_0', values.length);
  const bytes = new Uint8Array(blocks * blockBytes);
  for (let block = 0; block < blocks; block++) {
    const from = block * blockSize;
    let largest = 0;
    for (let i = from; i < from + blockSize; i++) largest = Math.max(largest, Math.abs(values[i]));
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const to = block * blockBytes;
    writeHalf(bytes, to, scale);
    for (let i = 0; i < blockSize; i++)
      bytes[to + 2 + i] = roundAwayFromZero(Math.fround(values[from + i] * inverse));
  }
  return bytes;
}

/** 4 bits around 8: d = x / -8 for the x of largest magnitude, then q = x / d + 8. */
function quantiseQ4(values: Float32Array): Uint8Array<ArrayBuffer> {
  const { blockSize, blockBytes } = blockLayout.Q4_0;
  const blocks = wholeBlocks('Q4_0', values.length);
  const bytes = new Uint8Array(blocks * blockBytes);
  for (let block = 0; block < blocks; block++) {
    const from = block * blockSize;
    let extreme = 0;
    for (let i = from; i < from + blockSize; i++) {
      const value = values[i];
      if (Math.abs(value) > Math.abs(extreme)) extreme = value;
    }
    const scale = Math.fround(extreme / -8);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const to = block * blockBytes;
    writeHalf(bytes, to, scale);
    for (let i = 0; i < blockSize / 2; i++) {
      const low = nibble(values[from + i], inverse);
      const high = nibble(values[from + i + blockSize / 2], inverse);
      bytes[to + 2 + i] = low | (high << 4);
    }
  }
  return bytes;
}

function nibble(value: number, inverse: number): number {
  return Math.min(15, Math.trunc(Math.fround(Math.fround(value * inverse) + 8.5)));
}

/** C's roundf, which ggml uses, rounds halves away from zero; Math.round rounds them up. */
function roundAwayFromZero(value: number): number {
  return Math.trunc(value < 0 ? value - 0.5 : value + 0.5);
}

function writeHalf(bytes: Uint8Array, at: number, value: number): void {
  const half = f32ToF16(value);
  if (!Number.isFinite(f16ToF32(half)))
    throw new RangeError(
      `a block's scale of ${value} does not fit half precision: store this tensor as f32 or f16`,
    );
  bytes[at] = half & 0xff;
  bytes[at + 1] = half >>> 8;
}

function wholeBlocks(dtype: StorableDtype, count: number): number {
  const { blockSize } = blockLayout[dtype];
  if (count % blockSize !== 0)
    throw new RangeError(`${dtype} stores blocks of ${blockSize} values, and ${count} came`);
  return count / blockSize;
}

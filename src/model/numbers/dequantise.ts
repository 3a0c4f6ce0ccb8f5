/**
 * Converts stored numbers of every type that a checkpoint may use into f32. Layouts are ggml's
 * (`ggml-common.h`, `ggml-quants.c`); all are little-endian. A block here is a quantisation block.
 */
import type { BlockDecoder } from './block-decoder.ts';
import { blockLayout, type Dtype } from './dtype.ts';
import { f16Values } from './f16.ts';
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from './k-blocks.ts';
import { decodeIq2Xxs, decodeIq4Nl, decodeIq4Xs } from './iq-blocks.ts';

/**
 * @param bytes whole blocks of the type
 * @param out receives the values; it has exactly the room for them
 * @returns `out`, or a new array
 */
export function dequantise(dtype: Dtype, bytes: Uint8Array, out?: Float32Array): Float32Array {
  const { blockSize, blockBytes } = blockLayout[dtype];
  const blocks = bytes.byteLength / blockBytes;
  if (!Number.isInteger(blocks))
    throw new RangeError(
      `${dtype} data comes in blocks of ${blockBytes} bytes, and ${bytes.byteLength} bytes came`,
    );
  const target = out ?? new Float32Array(blocks * blockSize);
  if (target.length !== blocks * blockSize)
    throw new RangeError(
      `${blocks} blocks of ${dtype} hold ${blocks * blockSize} values, not ${target.length}`,
    );
  decoders[dtype](bytes, target, blocks, f16Values());
  return target;
}

const decoders: Record<Dtype, BlockDecoder> = {
  F32: (bytes, out) => {
    new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
  },
  F16: (bytes, out, count, halves) => {
    const bits = wordsOf(bytes);
    for (let i = 0; i < count; i++) out[i] = halves[bits[i]];
  },
  BF16: (bytes, out, count) => {
    const bits = wordsOf(bytes);
    const words = new Uint32Array(out.buffer, out.byteOffset, count);
    for (let i = 0; i < count; i++) words[i] = bits[i] << 16;
  },
  Q8_0: (bytes, out, blocks, halves) => {
    const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let block = 0; block < blocks; block++) {
      const at = block * 34;
      const scale = halves[bytes[at] | (bytes[at + 1] << 8)];
      for (let i = 0; i < 32; i++) out[block * 32 + i] = scale * signed[at + 2 + i];
    }
  },
  Q4_0: (bytes, out, blocks, halves) => {
    for (let block = 0; block < blocks; block++) {
      const at = block * 18;
      const scale = halves[bytes[at] | (bytes[at + 1] << 8)];
      for (let i = 0; i < 16; i++) {
        const pair = bytes[at + 2 + i];
        out[block * 32 + i] = scale * ((pair & 15) - 8);
        out[block * 32 + 16 + i] = scale * ((pair >> 4) - 8);
      }
    }
  },
  Q4_1: (bytes, out, blocks, halves) => {
    for (let block = 0; block < blocks; block++) {
      const at = block * 20;
      const scale = halves[bytes[at] | (bytes[at + 1] << 8)];
      const least = halves[bytes[at + 2] | (bytes[at + 3] << 8)];
      for (let i = 0; i < 16; i++) {
        const pair = bytes[at + 4 + i];
        out[block * 32 + i] = scale * (pair & 15) + least;
        out[block * 32 + 16 + i] = scale * (pair >> 4) + least;
      }
    }
  },
  Q5_0: (bytes, out, blocks, halves) => {
    for (let block = 0; block < blocks; block++) {
      const at = block * 22;
      const scale = halves[bytes[at] | (bytes[at + 1] << 8)];
      const fifth = fifthBits(bytes, at + 2);
      for (let i = 0; i < 16; i++) {
        const pair = bytes[at + 6 + i];
        out[block * 32 + i] = scale * ((pair & 15) + ((fifth >>> i) & 1) * 16 - 16);
        out[block * 32 + 16 + i] = scale * ((pair >> 4) + ((fifth >>> (i + 16)) & 1) * 16 - 16);
      }
    }
  },
  Q5_1: (bytes, out, blocks, halves) => {
    for (let block = 0; block < blocks; block++) {
      const at = block * 24;
      const scale = halves[bytes[at] | (bytes[at + 1] << 8)];
      const least = halves[bytes[at + 2] | (bytes[at + 3] << 8)];
      const fifth = fifthBits(bytes, at + 4);
      for (let i = 0; i < 16; i++) {
        const pair = bytes[at + 8 + i];
        out[block * 32 + i] = scale * ((pair & 15) + ((fifth >>> i) & 1) * 16) + least;
        out[block * 32 + 16 + i] = scale * ((pair >> 4) + ((fifth >>> (i + 16)) & 1) * 16) + least;
      }
    }
  },
  Q2_K: decodeQ2K,
  Q3_K: decodeQ3K,
  Q4_K: decodeQ4K,
  Q5_K: decodeQ5K,
  Q6_K: decodeQ6K,
  IQ4_NL: decodeIq4Nl,
  IQ4_XS: decodeIq4Xs,
  IQ2_XXS: decodeIq2Xxs,
};

/** Views the bytes as 16-bit words, without a copy if they are aligned. */
function wordsOf(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

/** The fifth bit of each of a block's 32 values. */
function fifthBits(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

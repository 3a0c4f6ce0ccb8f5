/**
 * Decodes ggml's k-quants: quantisation blocks of 256 weights, divided into sub-blocks. Each sub-block has a
 * small integer scale (and, in some types, a minimum), which the block's one or two half-precision numbers
 * multiply.
 */
import type { BlockDecoder } from './block-decoder.ts';

function half(bytes: Uint8Array, at: number, halves: Float32Array): number {
  return halves[bytes[at] | (bytes[at + 1] << 8)];
}

/** 84 bytes: 16 × (4-bit scale, 4-bit minimum), 64 × four 2-bit weights, d, dmin. */
export const decodeQ2K: BlockDecoder = (bytes, out, blocks, halves) => {
  for (let block = 0; block < blocks; block++) {
    const at = block * 84;
    const d = half(bytes, at + 80, halves);
    const dmin = half(bytes, at + 82, halves);
    for (let group = 0; group < 16; group++) {
      const scales = bytes[at + group];
      const scale = d * (scales & 15);
      const least = dmin * (scales >> 4);
      const shift = ((group >> 1) & 3) * 2;
      const from = at + 16 + (group >> 3) * 32 + (group & 1) * 16;
      const to = block * 256 + group * 16;
      for (let i = 0; i < 16; i++) out[to + i] = scale * ((bytes[from + i] >> shift) & 3) - least;
    }
  }
};

/** 110 bytes: 32 of high bits, 64 × four 2-bit weights, 16 × 6-bit scales in 12 bytes, d. */
export const decodeQ3K: BlockDecoder = (bytes, out, blocks, halves) => {
  for (let block = 0; block < blocks; block++) {
    const at = block * 110;
    const d = half(bytes, at + 108, halves);
    for (let group = 0; group < 16; group++) {
      const packed = bytes[at + 96 + (group & 7)];
      const low = group < 8 ? packed & 15 : packed >> 4;
      const upper = (bytes[at + 104 + (group & 3)] >> (2 * (group >> 2))) & 3;
      const scale = d * ((low | (upper << 4)) - 32);
      const shift = ((group >> 1) & 3) * 2;
      const lane = (group & 1) * 16;
      const from = at + 32 + (group >> 3) * 32 + lane;
      const to = block * 256 + group * 16;
      const high = group >> 1;
      // The high bit is stored inverted: if it is not set, the weight is four less.
      for (let i = 0; i < 16; i++)
        out[to + i] =
          scale *
          (((bytes[from + i] >> shift) & 3) + (((bytes[at + lane + i] >> high) & 1) << 2) - 4);
    }
  }
};

/** The 6-bit scale of sub-block `j` of eight, from the 12 bytes with eight scales and minima. */
function scaleOf(bytes: Uint8Array, at: number, j: number): number {
  if (j < 4) return bytes[at + j] & 63;
  return (bytes[at + j + 4] & 15) | ((bytes[at + j - 4] >> 6) << 4);
}

function minimumOf(bytes: Uint8Array, at: number, j: number): number {
  if (j < 4) return bytes[at + j + 4] & 63;
  return (bytes[at + j + 4] >> 4) | ((bytes[at + j] >> 6) << 4);
}

/** 144 bytes: d, dmin, 12 of scales and minima, 128 × two 4-bit weights. */
export const decodeQ4K: BlockDecoder = (bytes, out, blocks, halves) => {
  for (let block = 0; block < blocks; block++) {
    const at = block * 144;
    const d = half(bytes, at, halves);
    const dmin = half(bytes, at + 2, halves);
    for (let group = 0; group < 8; group++) {
      const scale = d * scaleOf(bytes, at + 4, group);
      const least = dmin * minimumOf(bytes, at + 4, group);
      const shift = (group & 1) * 4;
      const from = at + 16 + (group >> 1) * 32;
      const to = block * 256 + group * 32;
      for (let i = 0; i < 32; i++) out[to + i] = scale * ((bytes[from + i] >> shift) & 15) - least;
    }
  }
};

/** 176 bytes: like Q4_K, with 32 bytes of fifth bits before the weights. */
export const decodeQ5K: BlockDecoder = (bytes, out, blocks, halves) => {
  for (let block = 0; block < blocks; block++) {
    const at = block * 176;
    const d = half(bytes, at, halves);
    const dmin = half(bytes, at + 2, halves);
    for (let group = 0; group < 8; group++) {
      const scale = d * scaleOf(bytes, at + 4, group);
      const least = dmin * minimumOf(bytes, at + 4, group);
      const shift = (group & 1) * 4;
      const from = at + 48 + (group >> 1) * 32;
      const to = block * 256 + group * 32;
      for (let i = 0; i < 32; i++) {
        const fifth = (bytes[at + 16 + i] >> group) & 1;
        out[to + i] = scale * (((bytes[from + i] >> shift) & 15) + fifth * 16) - least;
      }
    }
  }
};

/** 210 bytes: 128 × two low nibbles, 64 × four high pairs of bits, 16 signed scales, d. */
export const decodeQ6K: BlockDecoder = (bytes, out, blocks, halves) => {
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; block < blocks; block++) {
    const at = block * 210;
    const d = half(bytes, at + 208, halves);
    for (let group = 0; group < 16; group++) {
      const scale = d * signed[at + 192 + group];
      const side = group >> 3;
      const quarter = (group >> 1) & 3;
      const lane = (group & 1) * 16;
      const low = at + side * 64 + (quarter & 1) * 32 + lane;
      const lowShift = (quarter >> 1) * 4;
      const high = at + 128 + side * 32 + lane;
      const to = block * 256 + group * 16;
      for (let i = 0; i < 16; i++) {
        const nibble = (bytes[low + i] >> lowShift) & 15;
        const upper = (bytes[high + i] >> (quarter * 2)) & 3;
        out[to + i] = scale * ((nibble | (upper << 4)) - 32);
      }
    }
  }
};

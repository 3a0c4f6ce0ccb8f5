/**
 * Decodes ggml's quantised types that look values up: on a curve of 16 values (IQ4) or in a lattice of
 * eight-dimensional points (IQ2).
 */
import type { BlockDecoder } from './block-decoder.ts';
import { iq2XxsGrid } from './iq2xxs-grid.ts';

const curve = Int8Array.of(
  -127,
  -104,
  -83,
  -65,
  -49,
  -35,
  -22,
  -10,
  1,
  13,
  25,
  38,
  53,
  69,
  89,
  113,
);

/** 18 bytes: d, 16 × two indices into the curve. */
export const decodeIq4Nl: BlockDecoder = (bytes, out, blocks, halves) => {
  for (let block = 0; block < blocks; block++) {
    const at = block * 18;
    const scale = halves[bytes[at] | (bytes[at + 1] << 8)];
    lookUp(bytes, at + 2, scale, out, block * 32);
  }
};

/** 136 bytes: d, 8 × 2 high bits of scales, 8 × 4 low bits, 128 × two indices into the curve. */
export const decodeIq4Xs: BlockDecoder = (bytes, out, blocks, halves) => {
  for (let block = 0; block < blocks; block++) {
    const at = block * 136;
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    const highBits = bytes[at + 2] | (bytes[at + 3] << 8);
    for (let group = 0; group < 8; group++) {
      const low = (bytes[at + 4 + (group >> 1)] >> (4 * (group & 1))) & 15;
      const high = (highBits >> (2 * group)) & 3;
      const scale = d * ((low | (high << 4)) - 32);
      lookUp(bytes, at + 8 + group * 16, scale, out, block * 256 + group * 32);
    }
  }
};

function lookUp(
  bytes: Uint8Array,
  from: number,
  scale: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 16; i++) {
    const pair = bytes[from + i];
    out[to + i] = scale * curve[pair & 15];
    out[to + 16 + i] = scale * curve[pair >> 4];
  }
}

/**
 * 66 bytes: d, then for each 32 weights four lattice indices, and a word of four 7-bit sign sets and a 4-bit
 * scale. A set's eighth sign makes the number of minus signs even.
 */
export const decodeIq2Xxs: BlockDecoder = (bytes, out, blocks, halves) => {
  for (let block = 0; block < blocks; block++) {
    const at = block * 66;
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    for (let group = 0; group < 8; group++) {
      const from = at + 2 + group * 8;
      const word =
        (bytes[from + 4] |
          (bytes[from + 5] << 8) |
          (bytes[from + 6] << 16) |
          (bytes[from + 7] << 24)) >>>
        0;
      const scale = d * (0.5 + (word >>> 28)) * 0.25;
      for (let part = 0; part < 4; part++) {
        const point = bytes[from + part] * 8;
        const signs = ((word >>> (7 * part)) & 127) * 8;
        const to = block * 256 + group * 32 + part * 8;
        for (let j = 0; j < 8; j++)
          out[to + j] = scale * iq2XxsGrid[point + j] * signSets[signs + j];
      }
    }
  }
};

/** 1 or -1 for each of a set's eight weights, set after set. */
const signSets = Float32Array.from({ length: 128 * 8 }, (_, i) =>
  (withParity(i >> 3) >> (i & 7)) & 1 ? -1 : 1,
);

function withParity(signs: number): number {
  let parity = signs ^ (signs >> 4);
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return signs | ((parity & 1) << 7);
}

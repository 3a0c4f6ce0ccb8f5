/**
 * Decodes the stored blocks of one number type: writes the values of `blocks` consecutive blocks to `out`. `halves`
 * holds the value of every f16, by its bits.
 */
export type BlockDecoder = (
  bytes: Uint8Array,
  out: Float32Array,
  blocks: number,
  halves: Float32Array,
) => void;

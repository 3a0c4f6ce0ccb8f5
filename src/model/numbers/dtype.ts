/**
 * The types in which numbers are stored. Quantised types keep GGUF's own byte layout, so that a GGUF tensor's
 * bytes are used unchanged: a quantisation block of `blockSize` consecutive weights takes `blockBytes` bytes.
 */
export const dtypes = [
  'F32',
  'F16',
  'BF16',
  'Q4_0',
  'Q4_1',
  'Q5_0',
  'Q5_1',
  'Q8_0',
  'Q2_K',
  'Q3_K',
  'Q4_K',
  'Q5_K',
  'Q6_K',
  'IQ4_NL',
  'IQ4_XS',
  'IQ2_XXS',
] as const;

export type Dtype = (typeof dtypes)[number];

/** Weights and bytes of one quantisation block; plain number types have blocks of one. */
export const blockLayout: Record<Dtype, { blockSize: number; blockBytes: number }> = {
  F32: { blockSize: 1, blockBytes: 4 },
  F16: { blockSize: 1, blockBytes: 2 },
  BF16: { blockSize: 1, blockBytes: 2 },
  Q4_0: { blockSize: 32, blockBytes: 18 },
  Q4_1: { blockSize: 32, blockBytes: 20 },
  Q5_0: { blockSize: 32, blockBytes: 22 },
  Q5_1: { blockSize: 32, blockBytes: 24 },
  Q8_0: { blockSize: 32, blockBytes: 34 },
  Q2_K: { blockSize: 256, blockBytes: 84 },
  Q3_K: { blockSize: 256, blockBytes: 110 },
  Q4_K: { blockSize: 256, blockBytes: 144 },
  Q5_K: { blockSize: 256, blockBytes: 176 },
  Q6_K: { blockSize: 256, blockBytes: 210 },
  IQ4_NL: { blockSize: 32, blockBytes: 18 },
  IQ4_XS: { blockSize: 256, blockBytes: 136 },
  IQ2_XXS: { blockSize: 256, blockBytes: 66 },
};

/** Bytes of a tensor of this type and shape; blocks run along the last dimension. */
export function tensorBytes(dtype: Dtype, shape: readonly number[]): number {
  const { blockSize, blockBytes } = blockLayout[dtype];
  const elements = shape.reduce((product, size) => product * size, 1);
  const rowLength = shape[shape.length - 1] ?? 1;
  if (rowLength % blockSize !== 0)
    throw new RangeError(
      `a ${dtype} tensor's last dimension must be a multiple of ${blockSize}, not ${rowLength}`,
    );
  return (elements / blockSize) * blockBytes;
}

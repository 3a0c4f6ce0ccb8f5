/**
 * Converts between two layouts of q and k projections for rotary position embedding. Meta's own checkpoints,
 * llama2.c and GGUF files of Llama rotate adjacent pairs of a head, (2i, 2i+1). Hugging Face rotates across
 * its halves, (i, i + headDim/2). Only the order of rows differs, so it is changed once, when read.
 */

/**
 * Reorders the rows of whole heads from adjacent pairs to halves.
 *
 * @param data rows of `rowBytes` bytes each; a whole number of heads of `headDim` rows. A bias is a matrix
 *   whose rows have one number.
 */
export function toHalfRotation(
  data: Uint8Array,
  headDim: number,
  rowBytes: number,
): Uint8Array<ArrayBuffer> {
  const headBytes = headDim * rowBytes;
  if (headDim % 2 !== 0 || data.byteLength % headBytes !== 0)
    throw new RangeError(
      `rotary rows must come in whole heads of an even number of rows: ` +
        `${data.byteLength} bytes are not a multiple of ${headDim} rows of ${rowBytes} bytes`,
    );
  const result = new Uint8Array(data.byteLength);
  const half = headDim / 2;
  for (let head = 0; head < data.byteLength; head += headBytes)
    for (let pair = 0; pair < half; pair++) {
      const from = head + 2 * pair * rowBytes;
      result.set(data.subarray(from, from + rowBytes), head + pair * rowBytes);
      result.set(
        data.subarray(from + rowBytes, from + 2 * rowBytes),
        head + (pair + half) * rowBytes,
      );
    }
  return result;
}

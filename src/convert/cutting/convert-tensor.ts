/** Converts one tensor of a checkpoint, slice by slice, into the type and row order of shards. */
import { dequantise } from '../../model/numbers/dequantise.ts';
import { blockLayout, type Dtype } from '../../model/numbers/dtype.ts';
import { firstNotFinite } from '../../model/numbers/finite-check.ts';
import type { ManifestTensor } from '../../model/manifest.ts';
import { quantise, type StorableDtype } from '../../model/numbers/quantise.ts';
import { toHalfRotation } from '../../model/rotary/rotary-layout.ts';
import type { ByteSource } from '../sources/byte-source.ts';

/** Values converted at a time: 4 MiB of f32. */
const sliceValues = 1 << 20;

/**
 * Yields the tensor as `target`, slice by slice, with rotary rows ordered by halves.
 *
 * @param headDim rows in one attention head, for tensors stored for adjacent-pair rotation
 * @throws Error that names the tensor and the position of a number that is not finite
 */
export async function* convertTensor(
  tensor: ManifestTensor,
  source: ByteSource,
  target: Dtype,
  headDim: number,
): AsyncGenerator<{ data: Uint8Array; bytesRead: number }> {
  // A vector is one row, unless its numbers are reordered.
  const rowLength =
    tensor.shape.length > 1 || !tensor.interleavedRotary
      ? (tensor.shape[tensor.shape.length - 1] ?? 1)
      : 1;
  const { blockSize, blockBytes } = blockLayout[tensor.dtype];
  const rowBytes = (rowLength / blockSize) * blockBytes;
  const rows = tensor.bytes / rowBytes;
  const unit = tensor.interleavedRotary ? headDim : 1;
  const rowsAtOnce = Math.max(1, Math.floor(sliceValues / rowLength / unit)) * unit;
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - first);
    const stored = await source.read(tensor.offset + first * rowBytes, count * rowBytes);
    const ordered = tensor.interleavedRotary ? toHalfRotation(stored, headDim, rowBytes) : stored;
    const bad = firstNotFinite(tensor.dtype, ordered);
    if (bad >= 0)
      throw new Error(
        `${tensor.name} holds a number that is not finite, at or after position ` +
          `${first * rowLength + bad}: the checkpoint is corrupt`,
      );
    yield {
      data:
        target === tensor.dtype
          ? ordered
          : quantise(storable(target), dequantise(tensor.dtype, ordered)),
      bytesRead: stored.byteLength,
    };
  }
}

/** The type in which a tensor is stored. `wanted` is the type chosen for weights; null keeps each tensor's own. */
export function targetDtype(tensor: ManifestTensor, wanted: StorableDtype | null): Dtype {
  if (wanted === null) return tensor.dtype;
  // Norms and biases are small and matter everywhere.
  if (tensor.shape.length === 1) return 'F32';
  const rowLength = tensor.shape[tensor.shape.length - 1] ?? 1;
  return rowLength % blockLayout[wanted].blockSize === 0 ? wanted : 'F16';
}

function storable(dtype: Dtype): StorableDtype {
  switch (dtype) {
    case 'F32':
    case 'F16':
    case 'Q8_0':
    case 'Q4_0':
      return dtype;
    default:
      throw new Error(`weights cannot be stored anew as ${dtype}; choose f32, f16, q8 or q4`);
  }
}

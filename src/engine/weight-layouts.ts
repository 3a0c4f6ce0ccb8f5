/** Converts stored weights, [out, in] and stacked along `out`, to the layouts of ONNX Runtime's matrix products. */
import { blockLayout, tensorBytes } from '../model/numbers/dtype.ts';
import { dequantise } from '../model/numbers/dequantise.ts';
import { f16Values, packF16 } from '../model/numbers/f16.ts';
import { quantise } from '../model/numbers/quantise.ts';
import type { StoredTensor } from './engine.ts';

export interface Matrix {
  outputs: number;
  inputs: number;
}

/** The shape of a stack of matrices. */
export function stackShape(stack: StoredTensor[]): Matrix {
  const inputs = stack[0].shape[1];
  const misfit = stack.find(({ shape }) => shape.length !== 2 || shape[1] !== inputs);
  if (misfit)
    throw new Error(
      `${misfit.name} is [${misfit.shape.join(', ')}], and its neighbours take ${inputs} inputs`,
    );
  return { outputs: stack.reduce((sum, { shape }) => sum + shape[0], 0), inputs };
}

/** All values, [out, in]. */
export function stackValues(stack: StoredTensor[]): Float32Array {
  const { outputs, inputs } = stackShape(stack);
  const values = new Float32Array(outputs * inputs);
  let offset = 0;
  for (const { dtype, data, shape } of stack) {
    const count = shape[0] * inputs;
    dequantise(dtype, data, values.subarray(offset, offset + count));
    offset += count;
  }
  return values;
}

/** Outputs converted at a time. Tiles of this size stay in the cache while they are transposed. */
const bandOutputs = 32;

interface Band {
  /** [count, in]; overwritten by the next band. */
  values: Float32Array;
  /** The index of its first output in the whole stack. */
  first: number;
  count: number;
}

/** The values band by band, so that a large matrix is never held whole as f32 beside its result. */
function* bandsOf(stack: StoredTensor[]): Generator<Band> {
  const { inputs } = stackShape(stack);
  const scratch = new Float32Array(bandOutputs * inputs);
  let first = 0;
  for (const { dtype, data, shape } of stack) {
    const [outputs] = shape;
    const outputBytes = tensorBytes(dtype, [inputs]);
    for (let top = 0; top < outputs; top += bandOutputs) {
      const count = Math.min(bandOutputs, outputs - top);
      const values = scratch.subarray(0, count * inputs);
      dequantise(dtype, data.subarray(top * outputBytes, (top + count) * outputBytes), values);
      yield { values, first: first + top, count };
    }
    first += outputs;
  }
}

type Numbers = Float32Array | Uint16Array | Int8Array;

/** Writes outputs `first` to `first + count`, [count, in], into a matrix [in, out]. */
function transposeBand<T extends Numbers>(
  from: T,
  { first, count }: Pick<Band, 'first' | 'count'>,
  { outputs, inputs }: Matrix,
  to: T,
): void {
  for (let left = 0; left < inputs; left += bandOutputs) {
    const right = Math.min(left + bandOutputs, inputs);
    for (let row = 0; row < count; row++)
      for (let input = left; input < right; input++)
        to[input * outputs + first + row] = from[row * inputs + input];
  }
}

/** All values, [in, out]. */
export function columnValues(stack: StoredTensor[]): Float32Array {
  const shape = stackShape(stack);
  const values = new Float32Array(shape.outputs * shape.inputs);
  for (const band of bandsOf(stack)) transposeBand(band.values, band, shape, values);
  return values;
}

/** All values as 16-bit floats, [in, out]. */
export function f16Columns(stack: StoredTensor[]): Uint16Array {
  const shape = stackShape(stack);
  const values = new Uint16Array(shape.outputs * shape.inputs);
  for (const band of bandsOf(stack)) transposeBand(packF16(band.values), band, shape, values);
  return values;
}

/** Symmetric 8 bits with one scale for each output: values [in, out], value = int8 * scale[out]. */
export function int8Columns(stack: StoredTensor[]): { values: Int8Array; scales: Float32Array } {
  const shape = stackShape(stack);
  const { outputs, inputs } = shape;
  const values = new Int8Array(outputs * inputs);
  const scales = new Float32Array(outputs);
  const rounded = new Int8Array(bandOutputs * inputs);
  for (const band of bandsOf(stack)) {
    for (let row = 0; row < band.count; row++) {
      const start = row * inputs;
      let largest = 0;
      for (let i = start; i < start + inputs; i++)
        largest = Math.max(largest, Math.abs(band.values[i]));
      const scale = largest / 127;
      scales[band.first + row] = scale;
      // A row of zeros stays zero.
      const inverse = scale === 0 ? 0 : 1 / scale;
      for (let i = start; i < start + inputs; i++)
        rounded[i] = Math.round(band.values[i] * inverse);
    }
    transposeBand(rounded, band, shape, values);
  }
  return { values, scales };
}

/**
 * MatMulNBits' layout: quantisation blocks of 32 along `in`, values offset to be unsigned, one f32 scale for
 * each block. Weights stored as Q8_0 (or Q4_0) keep every bit; others are quantised to it first.
 */
export function quantisedBlocks(
  stack: StoredTensor[],
  bits: 4 | 8,
): { values: Uint8Array; scales: Float32Array } {
  const stored = bits === 8 ? 'Q8_0' : 'Q4_0';
  const { blockSize, blockBytes } = blockLayout[stored];
  const { outputs, inputs } = stackShape(stack);
  const blocks = (outputs * inputs) / blockSize;
  const valueBytes = (blockSize * bits) / 8;
  const values = new Uint8Array(blocks * valueBytes);
  const scales = new Float32Array(blocks);
  const halves = f16Values();
  const repack = bits === 8 ? repackQ8 : repackQ4;
  let block = 0;
  const add = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.byteLength; at += blockBytes, block++) {
      scales[block] = halves[bytes[at] | (bytes[at + 1] << 8)];
      repack(bytes, at + 2, values, block * valueBytes);
    }
  };
  for (const tensor of stack)
    if (tensor.dtype === stored) add(tensor.data);
    else for (const band of bandsOf([tensor])) add(quantise(stored, band.values));
  return { values, scales };
}

/** From int8 to uint8 with zero at 128. */
function repackQ8(from: Uint8Array, start: number, to: Uint8Array, target: number): void {
  for (let i = 0; i < 32; i++) to[target + i] = from[start + i] ^ 0x80;
}

/** Q4_0 pairs value i with value i + 16 in a byte; MatMulNBits pairs neighbours. */
function repackQ4(from: Uint8Array, start: number, to: Uint8Array, target: number): void {
  for (let i = 0; i < 16; i += 2) {
    const first = from[start + i];
    const second = from[start + i + 1];
    to[target + i / 2] = (first & 15) | ((second & 15) << 4);
    to[target + 8 + i / 2] = (first >> 4) | (second & 0xf0);
  }
}

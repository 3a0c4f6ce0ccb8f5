/** Stored weights, [out, in] and stacked along `out`, in the layouts that ONNX Runtime's products take. */
import { blockLayout } from '../model/dtype.ts';
import { dequantise } from '../model/dequantise.ts';
import { f16Values } from '../model/f16.ts';
import { quantise } from '../model/quantise.ts';
import type { StoredTensor } from './engine.ts';

export interface Matrix {
  outputs: number;
  inputs: number;
}

/** The shape of matrices on top of one another. */
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

const tile = 32;

/** [out, in] to [in, out], tile by tile so that both sides stay in the cache. */
export function transpose<Numbers extends Float32Array | Uint16Array | Int8Array>(
  from: Numbers,
  { outputs, inputs }: Matrix,
  to: Numbers,
): void {
  for (let top = 0; top < outputs; top += tile)
    for (let left = 0; left < inputs; left += tile) {
      const bottom = Math.min(top + tile, outputs);
      const right = Math.min(left + tile, inputs);
      for (let output = top; output < bottom; output++)
        for (let input = left; input < right; input++)
          to[input * outputs + output] = from[output * inputs + input];
    }
}

/** Symmetric 8 bits with one scale for each output: values [in, out], value = int8 * scale[out]. */
export function int8Columns(stack: StoredTensor[]): { values: Int8Array; scales: Float32Array } {
  const shape = stackShape(stack);
  const { outputs, inputs } = shape;
  const rows = new Int8Array(outputs * inputs);
  const scales = new Float32Array(outputs);
  let output = 0;
  for (const { dtype, data } of stack) {
    const weights = dequantise(dtype, data);
    for (let start = 0; start < weights.length; start += inputs, output++) {
      let largest = 0;
      for (let i = start; i < start + inputs; i++)
        largest = Math.max(largest, Math.abs(weights[i]));
      const scale = largest / 127;
      scales[output] = scale;
      // A row of zeros stays one.
      const inverse = scale === 0 ? 0 : 1 / scale;
      for (let i = 0; i < inputs; i++)
        rows[output * inputs + i] = Math.round(weights[start + i] * inverse);
    }
  }
  const values = new Int8Array(outputs * inputs);
  transpose(rows, shape, values);
  return { values, scales };
}

/**
 * MatMulNBits' layout: blocks of 32 along `in`, values offset to be unsigned, one f32 scale a block.
 * Weights stored as Q8_0 (or Q4_0) keep every bit; others are quantised to it first.
 */
export function blocksOf(
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
  for (const { dtype, data } of stack) {
    const bytes = dtype === stored ? data : quantise(stored, dequantise(dtype, data));
    for (let at = 0; at < bytes.byteLength; at += blockBytes, block++) {
      scales[block] = halves[bytes[at] | (bytes[at + 1] << 8)];
      repack(bytes, at + 2, values, block * valueBytes);
    }
  }
  return { values, scales };
}

/** int8 to uint8 around 128. */
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

/** Random weights in a model's real shapes, made for whatever tensor an architecture asks for. */
import type { ModelConfig } from '../model/config.ts';
import { tensorBytes } from '../model/numbers/dtype.ts';
import { quantise, type StorableDtype } from '../model/numbers/quantise.ts';
import { tensorShape } from './tensor-shapes.ts';
import type { TensorSource } from './tensor-source.ts';

const patternLength = 1 << 15;

/** Matrices have variance 1 / in, which keeps the size of their input; norms are 1, biases 0. */
export function randomTensors(config: ModelConfig, dtype: StorableDtype): TensorSource {
  return {
    has: () => true,
    take(name) {
      const shape = tensorShape(config, name);
      const [rows, inputs] = shape;
      if (shape.length === 1) {
        const values = new Float32Array(rows).fill(name.endsWith('.bias') ? 0 : 1);
        return { name, dtype: 'F32', shape, data: new Uint8Array(values.buffer) };
      }
      const fits = inputs % 32 === 0 ? dtype : 'F32';
      const pattern = quantise(fits, noise(patternLength, Math.sqrt(3 / inputs)));
      return { name, dtype: fits, shape, data: repeat(pattern, tensorBytes(fits, shape)) };
    },
    expectEmpty: () => undefined,
    release: () => undefined,
  };
}

/** Uniform numbers in ±`bound`. */
export function noise(length: number, bound: number): Float32Array {
  return Float32Array.from({ length }, () => (2 * Math.random() - 1) * bound);
}

function repeat(pattern: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += pattern.byteLength)
    result.set(pattern.subarray(0, length - offset), offset);
  return result;
}

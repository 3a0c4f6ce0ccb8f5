/** How far two computations of the same layers lie apart, and how far they may. */
import type { Backend, WeightType } from '../../engine/engine.ts';
import { goldenRounding } from '../../model/golden.ts';

/** At the worst position, against the root mean square of what the layers added to that position. */
export interface Deviation {
  /** Root mean square over all dimensions: an error that is spread over the state. */
  spread: number;
  /** In the worst dimension: an error in a single one. */
  largest: number;
}

/**
 * Half a step of an f16 is forgiven: the expected state was kept, or crossed a link, in 16 bits.
 *
 * @param actual [positions, width]
 * @param expected the same shape
 * @param input what the layers were given, the same shape; null where what they put out is not added to it
 */
export function deviationOf(
  actual: Float32Array,
  expected: Float32Array,
  input: Float32Array | null,
  width: number,
): Deviation {
  if (actual.length !== expected.length) return { spread: Infinity, largest: Infinity };
  const worst: Deviation = { spread: 0, largest: 0 };
  for (let start = 0; start < expected.length; start += width) {
    let addedSquares = 0;
    let errorSquares = 0;
    let largest = 0;
    for (let i = start; i < start + width; i++) {
      const difference = Math.abs(actual[i] - expected[i]);
      const error = Math.max(0, difference - Math.abs(expected[i]) * goldenRounding);
      addedSquares += (expected[i] - (input?.[i] ?? 0)) ** 2;
      errorSquares += error ** 2;
      largest = Math.max(largest, error);
    }
    const added = Math.sqrt(addedSquares / width) || 1;
    // What is not a number is not smaller than any limit.
    worst.spread = Math.max(worst.spread, Math.sqrt(errorSquares / width) / added);
    worst.largest = Math.max(worst.largest, largest / added);
  }
  return worst;
}

/** Whether what was computed may be what these weights make of it. */
export function isWithin(deviation: Deviation, limit: Deviation): boolean {
  return deviation.spread <= limit.spread && deviation.largest <= limit.largest;
}

/**
 * The worst of stories15m's and minimind2's layers against their golden states, as measured:
 *
 *     f32   spread 2e-7    largest 4e-6   wasm, and WebGPU on a software adapter
 *     q8    spread 0.078   largest 0.30   wasm, one position a run
 *     q4    spread 0.33    largest 2.1    the head 0.47 and 1.4
 *
 * f32 has a wide margin, since others sum in another order. No adapter with 16-bit shaders was at hand: a sum
 * of 11,008 halves, the longest of a 7B model, is off by sqrt(11,008 / 3) half steps, 0.03. No limit on the
 * spread reaches 1, where a layer lies that passed its input on untouched; a layer of zeros, or another layer, lies
 * there or beyond.
 */
const limits: Record<WeightType, Deviation> = {
  f32: { spread: 3e-4, largest: 3e-3 },
  f16: { spread: 0.06, largest: 0.4 },
  q8: { spread: 0.2, largest: 1 },
  q4: { spread: 0.75, largest: 5 },
};

export function limitOf(weights: WeightType): Deviation {
  return limits[weights];
}

/**
 * Whether several positions in one run come out as they would one by one. Int8 arithmetic on wasm scales by
 * what shares the run, and a first position is often a hundred times larger than the others.
 */
export function piecesAreExact(backend: Backend, weights: WeightType): boolean {
  return !(backend === 'wasm' && weights === 'q8');
}

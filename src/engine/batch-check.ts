/**
 * Has a device prove itself before sequences share its runs: kernels for several rows are others than those
 * for one, and not all of them are right everywhere (see `prefill-check.ts`). The first batch of each size is
 * computed both ways; a size whose results differ is computed one by one from then on.
 */
import type { RunResult } from './engine.ts';

export interface BatchCheck {
  run(
    size: number,
    together: () => Promise<RunResult[]>,
    oneByOne: () => Promise<RunResult[]>,
  ): Promise<RunResult[]>;
}

/**
 * Largest difference against the root mean square of a result. Sums in another order differ by 1e-5 or so after
 * tens of blocks, f16 by less than this; what a wrong kernel gives is off by its own size.
 */
const tolerance = 0.05;

export function createBatchCheck(): BatchCheck {
  const isRight = new Map<number, boolean>();
  return {
    async run(size, together, oneByOne) {
      const known = isRight.get(size);
      if (known !== undefined) return known ? together() : oneByOne();
      const shared = await together();
      // The second way writes the same keys and values again: what is kept is right in any case.
      const trusted = await oneByOne();
      isRight.set(
        size,
        trusted.every(
          ({ values }, index) => relativeError(shared[index].values, values) < tolerance,
        ),
      );
      return trusted;
    },
  };
}

/** NaN, and so no proof, where either has one. */
function relativeError(values: Float32Array, expected: Float32Array): number {
  let largest = 0;
  let squares = 0;
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs(values[index] - expected[index]);
    largest = Math.max(largest, difference);
    squares += expected[index] ** 2;
  }
  return largest / Math.sqrt(squares / expected.length);
}

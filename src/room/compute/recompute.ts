/**
 * Another device's work done again, to see whether it was right. Rows that are not at hand are loaded one at a
 * time for it, so that it takes the memory of one layer, and each proves itself as it comes.
 */
import type { Engine, WeightType } from '../../engine/engine.ts';
import type { RowRange } from '../view.ts';
import type { ShardHolder } from './shard-holder.ts';

export interface Job extends RowRange {
  /** What the rows are to compute with. */
  weights: WeightType;
  /** [positions, hidden_size], positions from 0 on. */
  input: Float32Array;
}

export interface RecomputeOptions {
  engine: Engine;
  holder: Pick<ShardHolder, 'borrow'>;
  hiddenSize: number;
  /** Positions a run. */
  prefillChunk: number;
}

/** A sequence that no answer has. */
const sequence = -1000;

/**
 * What the rows make of the input, the same shape.
 *
 * @throws where a row is in use here with other weights, cannot be had, or `signal` aborts between two rows
 */
export async function recompute(
  { engine, holder, hiddenSize, prefillChunk }: RecomputeOptions,
  { first, last, weights, input }: Job,
  signal: AbortSignal,
): Promise<Float32Array> {
  let state = input;
  for (let row = first; row <= last; row++) {
    signal.throwIfAborted();
    const output = new Float32Array(state.length);
    await holder.borrow(row, weights, async () => {
      const positions = state.length / hiddenSize;
      for (let position = 0; position < positions; position += prefillChunk) {
        const tokens = Math.min(prefillChunk, positions - position);
        const values = state.slice(position * hiddenSize, (position + tokens) * hiddenSize);
        const at = { first: row, last: row, sequence, position };
        const result = await engine.run({ ...at, input: { kind: 'hidden', tokens, values } });
        output.set(result.values, position * hiddenSize);
      }
      await engine.releaseSequence(sequence);
    });
    state = output;
  }
  return state;
}

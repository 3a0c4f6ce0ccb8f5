/**
 * Repeats another device's work, to see whether it was right. Layers that are not loaded are loaded one at a time for
 * it, so that it takes the memory of one block. Each of them proves itself first.
 */
import type { Engine, WeightType } from '../../engine/engine.ts';
import type { LayerRange } from '../view.ts';
import type { ShardHolder } from './shard-holder.ts';

export interface Job extends LayerRange {
  /** What the layers are to compute with. */
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
 * What the layers make of the input, the same shape.
 *
 * @throws where a layer is in use here with other weights, cannot be had, or `signal` aborts between two layers
 */
export async function recompute(
  { engine, holder, hiddenSize, prefillChunk }: RecomputeOptions,
  { first, last, weights, input }: Job,
  signal: AbortSignal,
): Promise<Float32Array> {
  let state = input;
  for (let layer = first; layer <= last; layer++) {
    signal.throwIfAborted();
    const output = new Float32Array(state.length);
    await holder.borrow(layer, weights, async () => {
      const positions = state.length / hiddenSize;
      for (let position = 0; position < positions; position += prefillChunk) {
        const tokens = Math.min(prefillChunk, positions - position);
        const values = state.slice(position * hiddenSize, (position + tokens) * hiddenSize);
        const at = { first: layer, last: layer, sequence, position };
        const result = await engine.run({ ...at, input: { kind: 'hidden', tokens, values } });
        output.set(result.values, position * hiddenSize);
      }
      await engine.releaseSequence(sequence);
    });
    state = output;
  }
  return state;
}

import { describe, expect, it } from 'vitest';
import { createWitness } from './boundary-tap.ts';
import { mostPositions } from '../protocol/bulk-message.ts';

const crossing = { epoch: 1, sequence: 7, stage: 2 };
/** A state of 4 bytes at each of these positions, holding its own position. */
const states = (...positions: number[]): Uint8Array =>
  Uint8Array.from(positions.flatMap((position) => [position, position, position, position]));

describe('a witness', () => {
  it('keeps what crosses where it was asked to watch, and nothing else', () => {
    const witness = createWitness(4);
    witness.note({ ...crossing, step: 0 }, states(0));
    witness.watch(crossing);
    witness.note({ ...crossing, sequence: 8, step: 0 }, states(9));
    witness.note({ ...crossing, stage: 3, step: 0 }, states(9));
    witness.note({ ...crossing, step: 0 }, states(0, 1, 2));
    witness.note({ ...crossing, step: 3 }, states(3));
    expect(witness.take(crossing)).toEqual({
      positions: [0, 1, 2, 3],
      payload: states(0, 1, 2, 3),
    });
    expect(witness.take(crossing)).toBeNull();
  });

  it('has seen the last positions only, where only those crossed', () => {
    const witness = createWitness(4);
    witness.watch(crossing);
    witness.note({ ...crossing, step: 23 }, states(23));
    witness.note({ ...crossing, step: 24 }, states(24));
    expect(witness.take(crossing)?.positions).toEqual([23, 24]);
  });

  it('stops where positions are written anew, since both ends do', () => {
    const witness = createWitness(4);
    witness.watch(crossing);
    witness.note({ ...crossing, step: 0 }, states(0, 1, 2));
    witness.note({ ...crossing, step: 2 }, states(5));
    witness.note({ ...crossing, step: 3 }, states(6));
    expect(witness.take(crossing)?.positions).toEqual([0, 1, 2]);
  });

  it('keeps no more than it must', () => {
    const witness = createWitness(4);
    witness.watch(crossing);
    witness.note({ ...crossing, step: 0 }, new Uint8Array(4 * mostPositions));
    witness.note({ ...crossing, step: mostPositions }, states(64));
    expect(witness.take(crossing)?.positions).toHaveLength(mostPositions);
    for (let sequence = 0; sequence < 20; sequence++) witness.watch({ ...crossing, sequence });
    expect(witness.take({ ...crossing, sequence: 0 })).toBeNull();
    expect(witness.take({ ...crossing, sequence: 19 })).not.toBeNull();
  });

  it('keeps a copy: a frame’s bytes are used again', () => {
    const witness = createWitness(4);
    witness.watch(crossing);
    const frame = states(1);
    witness.note({ ...crossing, step: 0 }, frame);
    frame.fill(0);
    expect(witness.take(crossing)?.payload).toEqual(states(1));
  });
});

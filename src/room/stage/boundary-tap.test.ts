import { describe, expect, it } from 'vitest';
import { createBoundaryTap } from './boundary-tap.ts';
import { mostPositions } from '../protocol/bulk-message.ts';

const boundary = { planVersion: 1, sequence: 7, stage: 2 };
/** A state of 4 bytes at each of these positions, holding its own position. */
const states = (...positions: number[]): Uint8Array =>
  Uint8Array.from(positions.flatMap((position) => [position, position, position, position]));

describe('a boundary tap', () => {
  it('keeps what crosses where it was asked to watch, and nothing else', () => {
    const boundaryTap = createBoundaryTap(4);
    boundaryTap.note({ ...boundary, step: 0 }, states(0));
    boundaryTap.watch(boundary);
    boundaryTap.note({ ...boundary, sequence: 8, step: 0 }, states(9));
    boundaryTap.note({ ...boundary, stage: 3, step: 0 }, states(9));
    boundaryTap.note({ ...boundary, step: 0 }, states(0, 1, 2));
    boundaryTap.note({ ...boundary, step: 3 }, states(3));
    expect(boundaryTap.take(boundary)).toEqual({
      positions: [0, 1, 2, 3],
      payload: states(0, 1, 2, 3),
    });
    expect(boundaryTap.take(boundary)).toBeNull();
  });

  it('has seen the last positions only, where only those crossed', () => {
    const boundaryTap = createBoundaryTap(4);
    boundaryTap.watch(boundary);
    boundaryTap.note({ ...boundary, step: 23 }, states(23));
    boundaryTap.note({ ...boundary, step: 24 }, states(24));
    expect(boundaryTap.take(boundary)?.positions).toEqual([23, 24]);
  });

  it('stops where positions are written anew, since both ends do', () => {
    const boundaryTap = createBoundaryTap(4);
    boundaryTap.watch(boundary);
    boundaryTap.note({ ...boundary, step: 0 }, states(0, 1, 2));
    boundaryTap.note({ ...boundary, step: 2 }, states(5));
    boundaryTap.note({ ...boundary, step: 3 }, states(6));
    expect(boundaryTap.take(boundary)?.positions).toEqual([0, 1, 2]);
  });

  it('keeps no more than it must', () => {
    const boundaryTap = createBoundaryTap(4);
    boundaryTap.watch(boundary);
    boundaryTap.note({ ...boundary, step: 0 }, new Uint8Array(4 * mostPositions));
    boundaryTap.note({ ...boundary, step: mostPositions }, states(64));
    expect(boundaryTap.take(boundary)?.positions).toHaveLength(mostPositions);
    for (let sequence = 0; sequence < 20; sequence++) boundaryTap.watch({ ...boundary, sequence });
    expect(boundaryTap.take({ ...boundary, sequence: 0 })).toBeNull();
    expect(boundaryTap.take({ ...boundary, sequence: 19 })).not.toBeNull();
  });

  it('keeps a copy: a frame’s bytes are used again', () => {
    const boundaryTap = createBoundaryTap(4);
    boundaryTap.watch(boundary);
    const frame = states(1);
    boundaryTap.note({ ...boundary, step: 0 }, frame);
    frame.fill(0);
    expect(boundaryTap.take(boundary)?.payload).toEqual(states(1));
  });
});

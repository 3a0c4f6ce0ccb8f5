import { describe, expect, it } from 'vitest';
import { createReplayBuffer, replayBudgetBytes } from './replay-buffer.ts';

const at = { sequence: 1, layer: 4 };

/** States of two bytes, of these positions. */
function states(from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: 2 * (to - from) }, (_, index) => from + (index >> 1));
}

describe('kept hidden states', () => {
  it('are given back as they were sent, whatever pieces they came in', () => {
    const kept = createReplayBuffer(2, () => 10_000);
    kept.keep(at, 0, states(0, 70));
    for (let position = 70; position < 100; position++)
      kept.keep(at, position, states(position, position + 1));
    expect(kept.read(at, 0, 100)).toEqual(states(0, 100));
    expect(kept.read(at, 65, 10)).toEqual(states(65, 75));
    expect(kept.read(at, 65, 36)).toBeNull();
    expect(kept.read({ ...at, layer: 5 }, 0, 1)).toBeNull();
    expect(kept.read({ ...at, sequence: 2 }, 0, 1)).toBeNull();
  });

  it('are cut back where the text was, and begin anew after a gap', () => {
    const kept = createReplayBuffer(2, () => 10_000);
    kept.keep(at, 0, states(0, 10));
    kept.keep(at, 4, states(40, 42));
    expect(kept.read(at, 3, 3)).toEqual(Uint8Array.of(3, 3, 40, 40, 41, 41));
    expect(kept.read(at, 0, 7)).toBeNull();
    kept.keep(at, 20, states(20, 22));
    expect(kept.read(at, 0, 1)).toBeNull();
    expect(kept.read(at, 20, 2)).toEqual(states(20, 22));
  });

  it('stay within the budget, those not added to for longest going first', () => {
    const kept = createReplayBuffer(2, () => 300);
    const other = { sequence: 2, layer: 4 };
    kept.keep(at, 0, states(0, 10));
    kept.keep(other, 0, states(0, 10));
    kept.keep(at, 10, states(10, 11));
    expect(kept.bytes).toBeLessThanOrEqual(300);
    kept.keep({ sequence: 3, layer: 4 }, 0, states(0, 10));
    expect(kept.read(other, 0, 1)).toBeNull();
    expect(kept.read(at, 0, 11)).toEqual(states(0, 11));
    expect(kept.bytes).toBeLessThanOrEqual(300);
    kept.keep(at, 11, states(11, 200));
    expect(kept.bytes).toBe(0);
  });

  it('of a whole beginning are copied with a fork, others are not', () => {
    const kept = createReplayBuffer(2, () => 10_000);
    kept.keep(at, 0, states(0, 10));
    kept.keep({ ...at, layer: 6 }, 5, states(5, 10));
    kept.fork(1, 2, 8);
    expect(kept.read({ sequence: 2, layer: 4 }, 0, 8)).toEqual(states(0, 8));
    expect(kept.read({ sequence: 2, layer: 4 }, 0, 9)).toBeNull();
    expect(kept.read({ sequence: 2, layer: 6 }, 5, 1)).toBeNull();
    const { bytes } = kept;
    kept.release(1);
    expect(kept.bytes).toBeLessThan(bytes);
    expect(kept.read(at, 0, 1)).toBeNull();
    kept.release(2);
    expect(kept.bytes).toBe(0);
  });

  it('take a small part of a device', () => {
    expect(replayBudgetBytes(1 << 30)).toBe(1 << 25);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stagesOf } from '../../fixtures/engine-room.ts';
import { runningOn } from '../../fixtures/made-up-plans.ts';
import type { LapStart } from '../../stage/stage-runner.ts';
import { createLapRunner, type LapRunner } from './lap-runner.ts';
import type { RunningLap } from '../planning/plans-in-use.ts';
import { LapLost } from '../../lap.ts';

interface Round {
  laps: LapRunner;
  running: RunningLap;
  started: LapStart[];
  /** Positions of the tokens that went round alone. */
  loneTokens: number[];
  lose: (reason: string) => void;
}

function open(split = 'host:0-3,a:4-6,host:7'): Round {
  const started: LapStart[] = [];
  const loneTokens: number[] = [];
  const losing = new AbortController();
  return {
    laps: createLapRunner({
      start: (_, start) => started.push(start),
      onLoneToken: (lap) => loneTokens.push(lap.position),
    }),
    running: runningOn({ planVersion: 7, stages: stagesOf(split) }, losing.signal),
    started,
    loneTokens,
    lose: (reason) => losing.abort(new Error(reason)),
  };
}

const logits = Float32Array.of(1, 2, 3);

function endOf(sequence: number, upTo = 1) {
  const hops = [{ stage: 0, queueUs: 1000, computeUs: 2500, wireUs: 0 }];
  return { planVersion: 7, sequence, logits, positions: 1, upTo, hops };
}

function trip(
  count: number,
  change: { chunk?: number; logitsOf?: number; position?: number } = {},
) {
  const ids = Array.from({ length: count }, (_, index) => 100 + index);
  return { sequence: 1, position: 0, ids, chunk: 8, logitsOf: 1, ...change };
}

describe('a trip', () => {
  it('brings the logits back, with the times of its stages in ms', async () => {
    const { laps, running } = open();
    const underWay = laps.run(running, trip(1));
    laps.onLapEnd(endOf(1));
    const { logits: back, timing } = await underWay;
    expect(back).toBe(logits);
    expect(timing.hops).toEqual([{ stage: 0, queueMs: 1, computeMs: 2.5, wireMs: 0 }]);
    expect(timing.lapMs).toBeGreaterThanOrEqual(0);
  });

  it('has read no more than was sent, whatever a device says', async () => {
    const { laps, running, started } = open();
    const read: number[] = [];
    const given = { ...trip(100, { position: 50 }), onRead: (upTo: number) => read.push(upTo) };
    const underWay = laps.run(running, given);
    expect(started).toHaveLength(6);
    for (const position of [4_000_000_000, 99, 58, 58, 50, 0])
      laps.onPieceRead({ sequence: 1, position });
    expect(read).toEqual([58]);
    expect(started).toHaveLength(7);
    laps.onLapEnd(endOf(1, 150));
    await underWay;
  });

  it('goes in pieces that hold every token once, and asks for logits in the last', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(1000),
        (count, chunk, wanted, position) => {
          const { laps, running, started } = open();
          const logitsOf = Math.min(wanted, count);
          const given = trip(count, { chunk, logitsOf, position });
          laps.run(running, given).catch(() => undefined);
          // Every piece comes back read, one after the other, until none is left to send.
          let end = position;
          for (let next = 0; next < started.length; next++) {
            const piece = started[next];
            expect(piece.position).toBe(end);
            end += piece.ids.length;
            laps.onPieceRead({ sequence: 1, position: end });
          }
          expect(started.flatMap(({ ids }) => [...ids])).toEqual(given.ids);
          expect(started.map((piece) => piece.logitsOf)).toEqual(
            started.map((_, index) => (index === started.length - 1 ? logitsOf : 0)),
          );
          for (const { ids } of started)
            expect(ids.length).toBeLessThanOrEqual(Math.max(chunk, logitsOf));
          expect(started.at(-1)?.ids.length).toBeGreaterThanOrEqual(logitsOf);
        },
      ),
    );
  });

  it('has no more pieces under way than keep every stage busy', () => {
    const { laps, running, started } = open();
    laps.run(running, trip(100, { chunk: 5 })).catch(() => undefined);
    expect(started).toHaveLength(6);
    laps.onPieceRead({ sequence: 1, position: 5 });
    expect(started).toHaveLength(7);
    expect(started[6].position).toBe(30);
  });

  it('says how far the prompt has been read', () => {
    const { laps, running } = open();
    const read: number[] = [];
    const given = { ...trip(40), onRead: (position: number) => read.push(position) };
    laps.run(running, given).catch(() => undefined);
    laps.onPieceRead({ sequence: 1, position: 8 });
    laps.onPieceRead({ sequence: 1, position: 16 });
    expect(read).toEqual([8, 16]);
  });

  it('teaches what a token takes only where nothing else was under way', async () => {
    const { laps, running, loneTokens } = open();
    const alone = laps.run(running, trip(1, { position: 5 }));
    laps.onLapEnd(endOf(1, 6));
    await alone;
    const prompt = laps.run(running, trip(2, { position: 6 }));
    laps.onLapEnd(endOf(1, 8));
    await prompt;
    const first = laps.run(running, trip(1, { position: 8 }));
    const second = laps.run(running, { ...trip(1), sequence: 2 });
    laps.onLapEnd(endOf(2));
    laps.onLapEnd(endOf(1, 9));
    await Promise.all([first, second]);
    expect(loneTokens).toEqual([5]);
  });

  it.each<[string, number, number]>([
    ['fewer logits than were asked for', 1, 14],
    ['those of positions before', 4, 13],
    ['those of a piece of its prompt', 4, 8],
  ])('is lost where a device had the last stage make %s', async (_, positions, upTo) => {
    const { laps, running } = open();
    const underWay = laps.run(running, trip(4, { position: 10, logitsOf: 4 }));
    laps.onLapEnd({ ...endOf(1, upTo), positions });
    await expect(underWay).rejects.toThrow(
      new LapLost('A device had the last stage make other logits than were asked for.'),
    );
  });

  it('is lost with the lap, with the reason', async () => {
    const { laps, running, lose } = open();
    const underWay = laps.run(running, trip(1));
    lose('Phone left.');
    await expect(underWay).rejects.toThrow(new LapLost('Phone left.'));
    await expect(underWay).rejects.toBeInstanceOf(LapLost);
  });

  it('does not start on a lap that is lost already', async () => {
    const { laps, running, lose, started } = open();
    lose('Phone left.');
    await expect(laps.run(running, trip(1))).rejects.toBeInstanceOf(LapLost);
    expect(started).toEqual([]);
  });

  it('is lost when a stage fails', async () => {
    const { laps, running } = open();
    const underWay = laps.run(running, trip(1));
    laps.onFailure({ planVersion: 7, sequence: 1, reason: 'layer 3 is not loaded' });
    await expect(underWay).rejects.toThrow(new LapLost('layer 3 is not loaded'));
  });

  it('hears nothing of other sequences, nor of itself once it is over', async () => {
    const { laps, running, lose } = open();
    const underWay = laps.run(running, trip(1));
    laps.onLapEnd(endOf(2));
    laps.onFailure({ planVersion: 7, sequence: 2, reason: 'not mine' });
    laps.onLapEnd(endOf(1));
    await underWay;
    laps.onFailure({ planVersion: 7, sequence: 1, reason: 'too late' });
    laps.onLapEnd(endOf(1));
    laps.onPieceRead({ sequence: 1, position: 1 });
    lose('too late as well');
    expect((await underWay).logits).toBe(logits);
  });
});

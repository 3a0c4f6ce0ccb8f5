/** Runs laps: sends tokens round the stages and waits for their logits. */
import type { LapTiming } from '../../room.ts';
import { LapLost } from '../../lap.ts';
import type { LapEnd, LapStart } from '../../stage/index.ts';
import type { TokenLap } from '../profiling/index.ts';
import type { RunningLap } from '../planning/index.ts';

export interface Trip {
  sequence: number;
  /** Of `ids[0]`. */
  position: number;
  ids: readonly number[];
  /** How many of the last positions' logits are wanted; at least 1. */
  logitsOf: number;
  /** Tokens a frame. */
  chunk: number;
  /** Hears how far the prompt has been read. */
  onRead?: (position: number) => void;
}

export interface TripResult {
  /** [logitsOf, vocab_size]. */
  logits: Float32Array;
  timing: LapTiming;
}

export interface LapRunner {
  /**
   * One trip of `ids` round the lap. A long prompt goes in pieces that follow each other through the
   * stages, no more of them under way than keep every stage busy. Rejects with `LapLost`.
   */
  run(running: RunningLap, trip: Trip): Promise<TripResult>;
  onLapEnd(end: LapEnd): void;
  onPieceRead(piece: { sequence: number; position: number }): void;
  onFailure(failure: { planVersion: number; sequence: number; reason: string }): void;
}

interface Waiting {
  end: (end: LapEnd) => void;
  read: (position: number) => void;
  fail: (reason: string) => void;
}

export interface LapRunnerOptions {
  start: (planVersion: number, start: LapStart) => void;
  /** One token went round while nothing else was under way. */
  onLoneToken: (lap: TokenLap) => void;
}

const otherLogits = 'A device had the last stage make other logits than were asked for.';

export function createLapRunner({ start, onLoneToken }: LapRunnerOptions): LapRunner {
  const waiting = new Map<number, Waiting>();
  let trips = 0;

  function travel(running: RunningLap, trip: Trip): Promise<LapEnd> {
    const { lost, lap } = running;
    const { sequence, position, ids, logitsOf } = trip;
    const pieces = piecesOf(trip);
    let sentUpTo = position;
    let readUpTo = position;
    return new Promise<LapEnd>((resolve, reject) => {
      const onLost = (): void => fail(lost.reason instanceof Error ? lost.reason.message : '');
      const settle = (): void => {
        waiting.delete(sequence);
        lost.removeEventListener('abort', onLost);
      };
      const fail = (reason: string): void => {
        settle();
        reject(new LapLost(reason));
      };
      const sendNext = (): void => {
        const piece = pieces.shift();
        if (!piece) return;
        sentUpTo = position + piece.to;
        start(lap.planVersion, {
          sequence,
          position: position + piece.from,
          ids: Int32Array.from(ids.slice(piece.from, piece.to)),
          logitsOf: pieces.length === 0 ? logitsOf : 0,
        });
      };
      waiting.set(sequence, {
        fail,
        end: (lapEnd) => {
          // The frame before the head says which, and comes from a device.
          if (lapEnd.positions !== logitsOf || lapEnd.upTo !== position + ids.length) {
            fail(otherLogits);
            return;
          }
          settle();
          resolve(lapEnd);
        },
        read: (upTo) => {
          // A device says so, and may say anything.
          if (upTo <= readUpTo || upTo > sentUpTo) return;
          readUpTo = upTo;
          trip.onRead?.(upTo);
          sendNext();
        },
      });
      lost.addEventListener('abort', onLost);
      if (lost.aborted) onLost();
      // One piece in every stage, and one on its way to each.
      else for (let sent = 0; sent < 2 * lap.stages.length; sent++) sendNext();
    });
  }

  return {
    async run(running, trip) {
      const isFirst = waiting.size === 0;
      const number = ++trips;
      const startedMs = performance.now();
      const { logits, hops } = await travel(running, trip);
      const timing: LapTiming = {
        lapMs: performance.now() - startedMs,
        hops: hops.map(({ stage, queueUs, computeUs, wireUs }) => ({
          stage,
          queueMs: queueUs / 1000,
          computeMs: computeUs / 1000,
          wireMs: wireUs / 1000,
        })),
      };
      const { position, ids } = trip;
      if (isFirst && trips === number && ids.length === 1)
        onLoneToken({ stages: running.lap.stages, timing, position });
      return { logits, timing };
    },
    onLapEnd: (end) => waiting.get(end.sequence)?.end(end),
    onPieceRead: ({ sequence, position }) => waiting.get(sequence)?.read(position),
    onFailure: ({ sequence, reason }) => waiting.get(sequence)?.fail(reason),
  };
}

/** Pieces of at most `chunk` tokens; the last holds every position whose logits are wanted. */
function piecesOf({ ids, chunk, logitsOf }: Trip): { from: number; to: number }[] {
  const pieces: { from: number; to: number }[] = [];
  let from = 0;
  while (ids.length - from > Math.max(chunk, logitsOf)) {
    const to = Math.min(from + chunk, ids.length - logitsOf);
    pieces.push({ from, to });
    from = to;
  }
  pieces.push({ from, to: ids.length });
  return pieces;
}

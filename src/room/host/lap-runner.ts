/** Sends tokens round the lap and waits for their logits. */
import type { LapTiming } from '../room.ts';
import type { LapEnd, LapStart } from '../stage-runner.ts';
import type { RunningLap } from './planning.ts';

/** The lap broke under way; what the sequence had in its devices' caches is lost, the answer is not. */
export class LapLost extends Error {}

export interface LapRunner {
  /**
   * One trip of `ids` from `position` on, in chunks that follow each other without waiting; resolves
   * with the last position's logits [vocab_size]. Rejects with `LapLost`.
   */
  run(
    running: RunningLap,
    trip: { sequence: number; position: number; ids: readonly number[]; chunk: number },
  ): Promise<{ logits: Float32Array; timing: LapTiming }>;
  onLapEnd(end: LapEnd): void;
  onFailure(failure: { epoch: number; sequence: number; reason: string }): void;
}

export function createLapRunner(start: (epoch: number, start: LapStart) => void): LapRunner {
  const waiting = new Map<number, { end: (end: LapEnd) => void; fail: (reason: string) => void }>();

  return {
    async run(running, { sequence, position, ids, chunk }) {
      const startedMs = performance.now();
      const { lost, lap } = running;
      const end = await new Promise<LapEnd>((resolve, reject) => {
        const onLost = (): void => fail(lost.reason instanceof Error ? lost.reason.message : '');
        const fail = (reason: string): void => {
          settle();
          reject(new LapLost(reason));
        };
        const settle = (): void => {
          waiting.delete(sequence);
          lost.removeEventListener('abort', onLost);
        };
        waiting.set(sequence, {
          fail,
          end: (lapEnd) => {
            settle();
            resolve(lapEnd);
          },
        });
        lost.addEventListener('abort', onLost);
        if (lost.aborted) {
          onLost();
          return;
        }
        for (let from = 0; from < ids.length; from += chunk) {
          const part = Int32Array.from(ids.slice(from, from + chunk));
          const wantsLogits = from + chunk >= ids.length;
          start(lap.epoch, { sequence, position: position + from, ids: part, wantsLogits });
        }
      });
      return {
        logits: end.logits,
        timing: {
          lapMs: performance.now() - startedMs,
          hops: end.hops.map(({ stage, queueUs, computeUs, wireUs }) => ({
            stage,
            queueMs: queueUs / 1000,
            computeMs: computeUs / 1000,
            wireMs: wireUs / 1000,
          })),
        },
      };
    },
    onLapEnd: (end) => waiting.get(end.sequence)?.end(end),
    onFailure: ({ sequence, reason }) => waiting.get(sequence)?.fail(reason),
  };
}

/**
 * When an answer may start its next token. `no-bubbles`, the paper's best mode: as soon as its own token
 * is back. `bubbles`: once the tokens of all answers in flight are, so that a round is a micro-batch and
 * every stage idles at its ends; kept for comparison.
 */
import type { PipelineMode } from '../../room.ts';

export interface Turns {
  /** An answer takes part from now on; returns how it ends. */
  enter(): () => void;
  next(signal: AbortSignal): Promise<void>;
}

export function createTurns(mode: PipelineMode): Turns {
  if (mode === 'no-bubbles') return { enter: () => () => undefined, next: () => Promise.resolve() };

  let inFlight = 0;
  let waiting: (() => void)[] = [];

  function startRound(): void {
    if (waiting.length < inFlight) return;
    const round = waiting;
    waiting = [];
    for (const go of round) go();
  }

  return {
    enter() {
      inFlight++;
      return () => {
        inFlight--;
        startRound();
      };
    },
    next: (signal) =>
      new Promise((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        };
        const giveUp = (): void => {
          waiting = waiting.filter((other) => other !== go);
          reject(new Error('stopped'));
        };
        signal.addEventListener('abort', giveUp);
        waiting.push(go);
        if (signal.aborted) giveUp();
        else startRound();
      }),
  };
}

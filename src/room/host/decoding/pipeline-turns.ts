/**
 * Says when an answer may start its next token. With `no-bubbles`, the paper's best mode, it may as soon as its own token
 * is back. With `bubbles` it may once the tokens of all answers in flight are back: a round is then a micro-batch, and
 * every stage idles at its ends. That mode is kept for comparison.
 */
import type { PipelineMode } from '../../room.ts';

export interface Turns {
  /** An answer takes part from now on, until what this returns is called. */
  enter(): () => void;
  /** Settles when the answer may start its next token. */
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

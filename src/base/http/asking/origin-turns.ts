/**
 * Requests to one server take turns: all of them pause together while the server is busy, and only a few run
 * at a time. Browsers open six connections to a server and let further requests wait for one, which would
 * look like a server that does not answer.
 */
import { pause } from '../../pause.ts';

const mostAtOnce = 6;

interface Turns {
  running: number;
  waiting: Set<() => void>;
  /** By `performance.now`, which no change of the clock moves. */
  pausedUntilMs: number;
}

const turns = new Map<string, Turns>();

/** A server that is waited for. */
export interface OriginPause {
  /** Such as `huggingface.co`. */
  host: string;
  /** A sentence for the screen. */
  sentence: string;
  ms: number;
}

const listeners = new Set<(paused: OriginPause) => void>();

/** Calls back whenever a server is to be waited for; returns how to stop. */
export function onOriginPause(listener: (paused: OriginPause) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Resolves to the function that ends the turn. Rejects at once with the signal's reason if that aborts. */
export async function turnAt(origin: string, signal?: AbortSignal): Promise<() => void> {
  const own = turnsOf(origin);
  for (;;) {
    signal?.throwIfAborted();
    const leftMs = own.pausedUntilMs - performance.now();
    if (leftMs > 0) await pause(leftMs, signal);
    else if (own.running >= mostAtOnce) await nextFree(own, signal);
    else return begin(own);
  }
}

/** Lets no request to that server begin for so many milliseconds, and tells who listens. */
export function pauseOrigin(origin: string, ms: number): void {
  const own = turnsOf(origin);
  const untilMs = performance.now() + ms;
  const isLonger = untilMs > own.pausedUntilMs + noticeableMs;
  own.pausedUntilMs = Math.max(own.pausedUntilMs, untilMs);
  // Several requests are told to wait at about the same time. One sentence is enough.
  if (isLonger)
    tell(origin, `is busy; asking again in ${Math.max(1, Math.round(ms / 1000))} s.`, ms);
}

/** Tells who listens that a server fell silent and is asked again. */
export function tellSilence(origin: string, silentMs: number): void {
  tell(origin, `has sent nothing for ${Math.round(silentMs / 1000)} s; asking again.`, 0);
}

const noticeableMs = 500;

function tell(origin: string, what: string, ms: number): void {
  const { host } = new URL(origin);
  for (const listener of listeners) listener({ host, sentence: `${host} ${what}`, ms });
}

function turnsOf(origin: string): Turns {
  const found = turns.get(origin);
  if (found) return found;
  const made: Turns = { running: 0, waiting: new Set(), pausedUntilMs: 0 };
  turns.set(origin, made);
  return made;
}

function begin(own: Turns): () => void {
  own.running++;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    own.running--;
    for (const wake of own.waiting) {
      own.waiting.delete(wake);
      wake();
      return;
    }
  };
}

function nextFree(own: Turns, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      own.waiting.delete(wake);
      reject(signal?.reason as Error);
    };
    const wake = (): void => {
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    own.waiting.add(wake);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

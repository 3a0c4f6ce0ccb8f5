/** A handler of what other devices send, to be fed with anything. */
import type { Random } from './mutate.ts';
import type { Tally } from './tally.ts';

export interface Target {
  name: string;
  /** Feeds about so many messages or frames; resolves with how many it were. Rejects where the handler does what it must not. */
  feed(count: number): Promise<number>;
  close(): Promise<void>;
}

export interface TargetOptions {
  random: Random;
  seed: number;
  tally: Tally;
}

/** Runs a handler on something: what it refuses by an error of its own kind is counted, anything else is a crash. */
export function tryOn(
  { tally }: TargetOptions,
  [handler, type]: readonly [string, string],
  handle: () => void,
  isRefusal: (error: unknown) => boolean,
): boolean {
  try {
    handle();
    tally.note(handler, type, { valid: true, refused: false });
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw crash(handler, type, error);
    tally.note(handler, type, { valid: false, refused: true });
    return false;
  }
}

export function crash(handler: string, type: string, error: unknown): Error {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Error(`${handler} did not refuse a ${type} but broke on it: ${what}`);
}

/** A plain `Error` with one sentence: how a handler of the room refuses. A `TypeError` or the like is a bug. */
export function isSentence(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.constructor === Error || error.constructor.name === 'LinkError') &&
    error.message.length > 10 &&
    error.message.length < 1500
  );
}

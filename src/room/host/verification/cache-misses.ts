/**
 * Work that a device refuses because it lacks the cache for it. That is the fault of whoever asked. If the host itself has
 * the sequence in use, it may have counted on a cache that is gone: then it is nobody's fault, once in a while.
 */
import { forgivenAfterMs } from './penalties.ts';
import type { Member } from '../membership/index.ts';

export interface CacheMisses {
  report(from: Member, asker: Member, failure: { sequence: number; reason: string }): void;
  left(member: Member): void;
}

export interface CacheMissesOptions {
  /** Whether an answer or a cache rebuild uses the sequence, or its cache is kept for the next turn. */
  isInUse: (sequence: number) => boolean;
  /** Tells every device which sequences are in use: the caches of others go. */
  tidy: () => void;
  accuse: (accuser: Member, accused: Member, reason: string) => void;
  nowMs?: () => number;
}

export function createCacheMisses(options: CacheMissesOptions): CacheMisses {
  const nowMs = options.nowMs ?? (() => performance.now());
  const lastMs = new Map<Member, number>();

  function isFirst(from: Member): boolean {
    const last = lastMs.get(from) ?? -Infinity;
    lastMs.set(from, nowMs());
    return nowMs() - last > forgivenAfterMs;
  }

  return {
    report(from, asker, { sequence, reason }) {
      options.tidy();
      if (options.isInUse(sequence) && isFirst(from)) return;
      options.accuse(from, asker, reason);
    },
    left: (member) => void lastMs.delete(member),
  };
}

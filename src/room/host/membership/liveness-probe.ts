/**
 * Whether a device is still there, asked when the room waits for it. How long its answer may take follows what its
 * answers took of late, as laps leave them: its page may be busy, its network slow. The answer needs neither a timer
 * nor the engine at the other side, so a hidden page and one that computes, or compiles shaders, answer as fast as any.
 */
import type { Link } from '../../../transport/index.ts';

export interface LivenessProbe {
  /** Asks until it answers, or its link ends; once at a time. */
  ask(): void;
}

export interface LivenessProbeOptions {
  /** It has not answered in time, and still does not: asked again and again until this is true, so that the room goes on without it. */
  goWithout: () => boolean;
  /** It answers again, after all; after so many ms. */
  onBack: (awayMs: number) => void;
}

/** Answers that count as recent. */
const remembered = 16;
/** An answer may take so many times as long as the slowest of late … */
const patienceFactor = 3;
/** … but no less than this, which a page may take over something of its own … */
export const shortestMs = 1000;
/** … and no more: a link's own silence ends it by then. */
export const longestMs = 4000;
/** Questions in that time: the loss of one or two must not matter. */
const questions = 4;
/** Until then an answer may come, be it that its connection has to be made anew. */
const giveUpMs = 30_000;

export function createLivenessProbe(
  link: Pick<Link, 'ping' | 'stats' | 'onClosed'>,
  { goWithout, onBack }: LivenessProbeOptions,
): LivenessProbe {
  /** What answers took, ms; those that came at all in time. */
  const recent: number[] = [];
  let isAsking = false;
  let hasEnded = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  link.onClosed(() => {
    hasEnded = true;
    clearTimeout(timer);
  });

  function patienceMs(): number {
    const slowestMs = Math.max(link.stats.roundTripMs ?? 0, ...recent);
    return Math.min(Math.max(patienceFactor * slowestMs, shortestMs), longestMs);
  }

  function ask(): void {
    if (isAsking || hasEnded) return;
    isAsking = true;
    const askedMs = performance.now();
    const everyMs = patienceMs() / questions;
    let unanswered = 0;
    let isWithout = false;
    let isOver = false;

    function question(): void {
      link.ping(giveUpMs).then(answered, () => undefined);
      const dueMs = performance.now() + everyMs;
      timer = setTimeout(() => {
        // A page that stood still itself knows nothing about the others: that time counts for nothing.
        if (performance.now() - dueMs < everyMs) unanswered++;
        if (unanswered >= questions) isWithout ||= goWithout();
        question();
      }, everyMs);
    }

    function answered(): void {
      // Later questions are answered, too.
      if (isOver) return;
      isOver = true;
      isAsking = false;
      clearTimeout(timer);
      const tookMs = performance.now() - askedMs;
      // Who took longer was not slow, but away.
      if (tookMs < longestMs) recent.push(tookMs);
      if (recent.length > remembered) recent.shift();
      if (isWithout && !hasEnded) onBack(tookMs);
    }

    question();
  }

  return { ask };
}

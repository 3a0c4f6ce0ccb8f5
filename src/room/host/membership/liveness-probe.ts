/**
 * Asks a device that the room waits for whether it is still there. How long its answer may take depends on how long its
 * answers took of late: its page may be busy, or its network slow. The answer needs neither a timer nor the engine on the
 * other side, so a page that is hidden, computes or compiles shaders answers as fast as any other.
 */
import type { Link } from '../../../transport/index.ts';

export interface LivenessProbe {
  /** Asks until it answers, or its link ends; once at a time. */
  ask(): void;
}

export interface LivenessProbeOptions {
  /** It has not answered in time. Called again and again until it answers, or this is true: the room goes on without it. */
  goWithout: () => boolean;
  /** It answers again, after so many ms, when the room had gone on without it. */
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
/** An answer may come as late as this, since the connection may have to be made anew. */
const giveUpMs = 30_000;

export function createLivenessProbe(
  link: Pick<Link, 'ping' | 'stats' | 'onClosed'>,
  { goWithout, onBack }: LivenessProbeOptions,
): LivenessProbe {
  /** What answers took that came in time, ms. */
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
        // The time that this page itself stood still does not count: it says nothing about the device.
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
      // A device that took longer was not slow, but away.
      if (tookMs < longestMs) recent.push(tookMs);
      if (recent.length > remembered) recent.shift();
      if (isWithout && !hasEnded) onBack(tookMs);
    }

    question();
  }

  return { ask };
}

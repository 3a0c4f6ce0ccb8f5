/** Says when to stop. It reads the clock only now and then, because that costs more than a step of a search. */
export interface Deadline {
  /** Cheap enough for the innermost loop. */
  passed: () => boolean;
  leftMs: () => number;
  /** Another deadline by the same clock, `limitMs` from now; it may be later than this one. */
  within: (limitMs: number) => Deadline;
}

/** @param clock ms from any origin */
export function startDeadline(
  limitMs: number,
  clock: () => number = () => performance.now(),
): Deadline {
  const endsAt = clock() + limitMs;
  let asked = 0;
  let over = limitMs <= 0;
  return {
    passed: () => {
      if (!over && ++asked % 64 === 0) over = clock() >= endsAt;
      return over;
    },
    leftMs: () => endsAt - clock(),
    within: (ms) => startDeadline(ms, clock),
  };
}

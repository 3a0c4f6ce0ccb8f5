/** When to stop. Asking the clock costs more than a step of a search, so it is asked only now and then. */
export interface Deadline {
  /** Cheap enough for the innermost loop. */
  passed: () => boolean;
  leftMs: () => number;
}

export function startDeadline(limitMs: number): Deadline {
  const endsAt = performance.now() + limitMs;
  let asked = 0;
  let over = limitMs <= 0;
  return {
    passed: () => {
      if (!over && ++asked % 64 === 0) over = performance.now() >= endsAt;
      return over;
    },
    leftMs: () => endsAt - performance.now(),
  };
}

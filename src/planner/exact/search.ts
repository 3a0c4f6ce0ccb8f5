import { findViolation, type Placement } from '../evaluate.ts';
import type { Instance } from '../instance.ts';
import type { Deadline } from './deadline.ts';

/** What every exact search shares: the best placement so far, and the deadline. */
export interface Incumbent {
  deadline: Deadline;
  /** Takes a placement, and returns its ms; infinite if it breaks a rule of the problem. */
  offer: (placement: Placement) => number;
  ms: () => number;
  placement: () => Placement | null;
}

export function startIncumbent(
  instance: Instance,
  deadline: Deadline,
  msOf: (placement: Placement) => number,
  onBetter: (placement: Placement) => void,
): Incumbent {
  let bestMs = Infinity;
  let best: Placement | null = null;
  return {
    deadline,
    offer: (placement) => {
      const ms = msOf(placement);
      if (ms < bestMs) {
        if (findViolation(instance, placement) !== null) return Infinity;
        [bestMs, best] = [ms, placement];
        onBetter(placement);
      }
      return ms;
    },
    ms: () => bestMs,
    placement: () => best,
  };
}

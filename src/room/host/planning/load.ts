/**
 * How many answers the plan should serve: the most that were in flight together of late. A plan that followed every
 * question would move layers all day.
 */
export interface Load {
  set(inFlight: number): void;
  /** In flight at this moment; at least 1. */
  now(): number;
  /** At least 1. */
  answers(): number;
}

const lateMs = 15_000;

export function createLoad(onChange: () => void): Load {
  let now = 0;
  let peak = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function settle(): void {
    timer = undefined;
    if (peak === now) return;
    peak = now;
    onChange();
  }

  return {
    set(inFlight) {
      now = inFlight;
      if (inFlight < peak) {
        timer ??= setTimeout(settle, lateMs);
        return;
      }
      clearTimeout(timer);
      timer = undefined;
      if (inFlight === peak) return;
      peak = inFlight;
      onChange();
    },
    now: () => Math.max(1, now),
    answers: () => Math.max(1, peak),
  };
}

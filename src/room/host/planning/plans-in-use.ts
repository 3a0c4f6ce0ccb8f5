/**
 * The plans that answers run on: the current one, the one that is being deployed, and older ones that answers still end
 * on. A plan is in use for as long as anything holds it, and each is lost with any device of its lap.
 */
import type { Lap, LapInUse } from '../../lap.ts';
import type { FeasibleRoomPlan } from './proposals/index.ts';

/** A plan in use, as an answer sees it. */
export interface RunningLap extends LapInUse {
  plan: FeasibleRoomPlan;
  /** The plan that has taken this one's place, for answers that would gain by migrating to it. */
  successor(): RunningLap | null;
  /** Keeps the lap in use, even if another takes its place, until what it returns is called. */
  hold(): () => void;
}

export interface PlansInUseOptions {
  /** The laps in use changed, the newest last; all others may be forgotten. */
  onLaps: (laps: Lap[]) => void;
  /** Something holds a plan no more. */
  onReleased: () => void;
}

export interface PlansInUse {
  /** The plan that new answers run on; null while there is none. */
  current(): RunningLap | null;
  /** Whether answers still run on older plans. */
  hasEnding(): boolean;
  /** Gives the plan the next version: it is about to be deployed. */
  add(plan: FeasibleRoomPlan): RunningLap;
  /** The plan that was added could not be deployed. */
  discard(): void;
  /** The plan that was added is the current one from now on. */
  promote(): void;
  /** No new answers run on the current plan; those that run on it end there. */
  retire(): void;
  /** Tells whoever runs on a plan for which there is a reason that it is lost. Gives the reason of the current one. */
  lose(reasonFor: (lap: Lap) => string | null): string | null;
}

interface PlanInUse extends RunningLap {
  losing: AbortController;
  holders: number;
}

export function createPlansInUse({ onLaps, onReleased }: PlansInUseOptions): PlansInUse {
  let current: PlanInUse | null = null;
  /** Being deployed. */
  let next: PlanInUse | null = null;
  /** Older plans that answers still run on. */
  const ending = new Set<PlanInUse>();
  let lastPlanVersion = 0;

  function newPlanInUse(plan: FeasibleRoomPlan): PlanInUse {
    const losing = new AbortController();
    const added: PlanInUse = {
      lap: { planVersion: ++lastPlanVersion, stages: plan.stages },
      plan,
      losing,
      lost: losing.signal,
      holders: 0,
      successor: () => (current === added ? null : current),
      hold() {
        added.holders++;
        return () => release(added);
      },
    };
    return added;
  }

  function release(held: PlanInUse): void {
    held.holders--;
    if (held.holders === 0 && ending.delete(held)) tellLaps();
    onReleased();
  }

  function retire(): void {
    if (current && current.holders > 0) ending.add(current);
    current = null;
  }

  function tellLaps(): void {
    const inUse = [...ending, ...(current ? [current] : [])].map(({ lap }) => lap);
    if (inUse.length > 0) onLaps(inUse);
  }

  return {
    current: () => current,
    hasEnding: () => ending.size > 0,
    add: (plan) => (next = newPlanInUse(plan)),
    discard() {
      next = null;
    },
    promote() {
      const promoted = next;
      next = null;
      retire();
      current = promoted;
      tellLaps();
    },
    retire,
    lose(reasonFor) {
      let currentsReason: string | null = null;
      for (const plan of [...ending, ...(next ? [next] : []), ...(current ? [current] : [])]) {
        const reason = reasonFor(plan.lap);
        if (reason === null) continue;
        plan.losing.abort(new Error(reason));
        if (plan !== current) continue;
        retire();
        currentsReason = reason;
      }
      return currentsReason;
    },
  };
}

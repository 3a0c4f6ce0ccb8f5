/**
 * Keeps the room's plan fitting its members and its load. Answers run on the newest plan. Those that run on an older one
 * end on it, or migrate between two tokens (`plan-migration.ts`); its layers go when the last of them has.
 */
import { createConditionVariable } from '../../../base/condition-variable.ts';
import { devicesOf, type Lap } from '../../lap.ts';
import type { PlanView, WaitingFor } from '../../view.ts';
import { createPlansInUse, type RunningLap } from './plans-in-use.ts';
import type { FeasibleRoomPlan, RoomPlanner } from './proposals/index.ts';
import { createReplanning, viewOf } from './replanning.ts';

export interface PlanningOptions {
  planner: Pick<RoomPlanner, 'propose' | 'isWorthwhile' | 'repriced'>;
  /** Why a lap cannot go on, in a sentence; null while it can. Asked whenever something changed. */
  brokenBecause: (lap: Lap) => string | null;
  /** Whether loading the lap beside what is loaded would break some device's memory budget. */
  overflows: (lap: Lap) => boolean;
  /** Has every device of the lap load its layers; rejects with a sentence when one cannot. */
  deploy: (lap: Lap, plan: FeasibleRoomPlan, dropFirst: boolean) => Promise<void>;
  /** The laps in use changed, the newest last; all others may be forgotten. */
  onLaps: (laps: Lap[]) => void;
  onView: (plan: PlanView | null, waitingFor: WaitingFor | null) => void;
}

export interface Planning {
  /** Something about the members or the load changed. */
  changed(): void;
  /** What devices take is known better: the plan that runs stays, and says so. */
  reprice(): void;
  /** A device of the room is gone, or failed: every lap with it is lost. */
  lose(deviceId: string, reason: string): void;
  /** The plan that new answers run on; null while there is none. */
  current(): RunningLap | null;
  /**
   * Runs `work` on the newest plan, waiting for one if there is none; `onLacking` hears in a sentence what is
   * missing for one. Rejects with a sentence when none can be made, or the host itself cannot run the model.
   */
  use<T>(
    work: (running: RunningLap) => Promise<T>,
    signal: AbortSignal,
    onLacking?: (sentence: string) => void,
  ): Promise<T>;
  /** Settles when no planning or deployment is under way. */
  settled(): Promise<void>;
}

export function createPlanning(options: PlanningOptions): Planning {
  const { planner, overflows, deploy, onLaps, onView } = options;
  const waits = createConditionVariable();
  const inUse = createPlansInUse({ onLaps, onReleased: () => waits.notify() });
  const replanning = createReplanning({ planner, inUse, waits, overflows, deploy, onView });

  function loseLaps(reasonFor: (lap: Lap) => string | null): void {
    const reason = inUse.lose(reasonFor);
    if (reason !== null) onView(null, { kind: 'preparing', sentence: reason });
  }

  function changed(): void {
    loseLaps(options.brokenBecause);
    replanning.start();
  }

  return {
    changed,
    reprice() {
      const current = inUse.current();
      const plan = current && planner.repriced(current.plan);
      if (!current || !plan) return;
      current.plan = plan;
      onView(viewOf(current, 'running'), null);
    },
    lose(deviceId, reason) {
      replanning.lost(deviceId);
      loseLaps((lap) => (devicesOf(lap).has(deviceId) ? reason : null));
      changed();
    },
    current: () => inUse.current(),
    async use(work, signal, onLacking) {
      let told: string | null = null;
      const running = await waits.until(() => {
        const [failure, lacking] = [replanning.failure(), replanning.lacking()];
        if (failure !== null) throw new Error(failure);
        const current = inUse.current();
        if (!current && lacking !== null && lacking !== told) onLacking?.((told = lacking));
        return current;
      }, signal);
      const release = running.hold();
      try {
        return await work(running);
      } finally {
        release();
      }
    },
    settled: () => waits.until(() => (replanning.isSettled() ? true : null)).then(() => undefined),
  };
}

/**
 * Keeps the room's plan fitting its members and its load: plans anew at every change, has the devices
 * load what the new plan gives them beside what runs, and takes it into use when all of them are
 * ready. Answers that run on an older plan end on it, or change over between two tokens (`plan-migration.ts`); its
 * layers go when the last of them has. One deployment at a time; a change meanwhile starts another after it.
 */
import { asError, errorMessage } from '../../../base/error-message.ts';
import { devicesOf, sameStages, type Lap, type LapInUse } from '../../lap.ts';
import type { PlanView, WaitingFor } from '../../view.ts';
import type { FeasibleRoomPlan, RoomPlan } from './room-plan.ts';

/** A plan in use, as an answer sees it. */
export interface RunningLap extends LapInUse {
  plan: FeasibleRoomPlan;
  /** The plan that has taken this one's place, for answers that would gain by moving to it. */
  successor(): RunningLap | null;
  /** Keeps the lap in use, even if another takes its place, until what it returns is called. */
  hold(): () => void;
}

export interface PlanningOptions {
  /** `waitingFor` while the room is not complete enough to plan at all. */
  propose: () => Promise<RoomPlan | { waitingFor: WaitingFor }>;
  /** Whether the proposal is worth its deployment in place of a plan that works. */
  isWorthwhile: (proposal: FeasibleRoomPlan, running: FeasibleRoomPlan) => boolean;
  /** The running plan with what it should take by what is known now; null where that cannot be said. */
  repriced: (running: FeasibleRoomPlan) => FeasibleRoomPlan | null;
  /** Why a lap cannot go on, in a sentence; null while it can. Asked whenever something changed. */
  brokenBecause: (lap: Lap) => string | null;
  /** Whether loading the lap beside what is loaded would break some device's memory budget. */
  overflows: (lap: Lap) => boolean;
  /** Has every device of the lap load its layers; rejects with a sentence when one cannot. */
  deployment: (lap: Lap, plan: FeasibleRoomPlan, dropFirst: boolean) => Promise<void>;
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

interface Deployed extends RunningLap {
  losing: AbortController;
  users: number;
}

export function createPlanning(options: PlanningOptions): Planning {
  let current: Deployed | null = null;
  /** Being deployed. */
  let next: Deployed | null = null;
  /** Older laps that answers still run on. */
  const ending = new Set<Deployed>();
  let lastPlanVersion = 0;
  let isDirty = false;
  let isPlanning = false;
  /** Devices that were lost while the planner thought: what it proposes may still count on them. */
  const lostMeanwhile = new Set<string>();
  /** Why there is no plan, or the host cannot run it, until something changes. */
  let failure: string | null = null;
  /** What is missing for any plan at all, until something changes. */
  let lacking: string | null = null;
  const waiting = new Set<() => void>();

  function wake(): void {
    for (const check of [...waiting]) check();
  }

  /** Resolves once `condition` gives a value; it is asked again whenever something here changed. */
  function until<T>(condition: () => T | null, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        waiting.delete(check);
        signal?.removeEventListener('abort', giveUp);
      };
      const giveUp = (): void => {
        stop();
        reject(signal?.reason instanceof Error ? signal.reason : new Error('stopped'));
      };
      const check = (): void => {
        try {
          const value = condition();
          if (value === null) return;
          stop();
          resolve(value);
        } catch (error) {
          stop();
          reject(asError(error));
        }
      };
      waiting.add(check);
      signal?.addEventListener('abort', giveUp);
      if (signal?.aborted) giveUp();
      else check();
    });
  }

  async function planWhileDirty(): Promise<void> {
    isPlanning = true;
    while (isDirty) {
      isDirty = false;
      // Whatever goes wrong with one plan must not keep the room from the next.
      await planOnce().catch(fail);
    }
    isPlanning = false;
    wake();
  }

  async function planOnce(): Promise<void> {
    failure = null;
    lostMeanwhile.clear();
    const proposal = await options.propose();
    if ('waitingFor' in proposal || !proposal.feasible) {
      if (current) return;
      const waitingFor = waitingIn(proposal);
      lacking = waitingFor.kind === 'preparing' ? null : waitingFor.sentence;
      options.onView(null, waitingFor);
      return;
    }
    if (proposal.stages.some(({ device }) => lostMeanwhile.has(device))) return;
    lacking = null;
    if (current) {
      if (sameStages(current.lap.stages, proposal.stages)) {
        // The same work, but devices or links have been measured anew: so is what it should take.
        current.plan = proposal;
        options.onView(viewOf(current, 'running'), null);
        return;
      }
      if (!options.isWorthwhile(proposal, current.plan)) return;
    }
    const deployed = newDeployed(proposal);
    next = deployed;
    const dropFirst = options.overflows(deployed.lap);
    if (dropFirst) {
      // Both plans together do not fit: the answers on the old one end first, and new ones wait.
      retireCurrent();
      await until(() => (ending.size === 0 ? true : null));
    }
    if (!current) options.onView(viewOf(deployed, 'loading'), null);
    try {
      await options.deployment(deployed.lap, proposal, dropFirst);
      deployed.lost.throwIfAborted();
    } catch (error) {
      next = null;
      fail(error);
      return;
    }
    next = null;
    retireCurrent();
    current = deployed;
    tellLaps();
    options.onView(viewOf(deployed, 'running'), null);
    wake();
  }

  /** What runs goes on; where nothing does, and nothing has changed since, whoever waits is told. */
  function fail(error: unknown): void {
    if (isDirty || current) return;
    failure = errorMessage(error);
    options.onView(null, { kind: 'failure', sentence: failure });
    wake();
  }

  function newDeployed(plan: FeasibleRoomPlan): Deployed {
    const losing = new AbortController();
    const deployed: Deployed = {
      lap: { planVersion: ++lastPlanVersion, stages: plan.stages },
      plan,
      losing,
      lost: losing.signal,
      users: 0,
      successor: () => (current === deployed ? null : current),
      hold() {
        deployed.users++;
        return () => endUse(deployed);
      },
    };
    return deployed;
  }

  function retireCurrent(): void {
    if (current && current.users > 0) ending.add(current);
    current = null;
  }

  function tellLaps(): void {
    const inUse = [...ending, ...(current ? [current] : [])].map(({ lap }) => lap);
    if (inUse.length > 0) options.onLaps(inUse);
  }

  function endUse(deployed: Deployed): void {
    deployed.users--;
    if (deployed.users === 0 && ending.delete(deployed)) tellLaps();
    wake();
  }

  /** Tells whoever runs on a plan for which there is a reason that it is lost. */
  function breakLaps(reasonFor: (lap: Lap) => string | null): void {
    for (const deployed of [...ending, ...(next ? [next] : []), ...(current ? [current] : [])]) {
      const reason = reasonFor(deployed.lap);
      if (reason === null) continue;
      deployed.losing.abort(new Error(reason));
      if (deployed !== current) continue;
      retireCurrent();
      options.onView(null, { kind: 'preparing', sentence: reason });
    }
  }

  function changed(): void {
    breakLaps(options.brokenBecause);
    isDirty = true;
    if (!isPlanning) void planWhileDirty();
  }

  return {
    changed,
    reprice() {
      const plan = current && options.repriced(current.plan);
      if (!current || !plan) return;
      current.plan = plan;
      options.onView(viewOf(current, 'running'), null);
    },
    lose(deviceId, reason) {
      lostMeanwhile.add(deviceId);
      breakLaps((lap) => (devicesOf(lap).has(deviceId) ? reason : null));
      changed();
    },
    current: () => current,
    async use(work, signal, onLacking) {
      let told: string | null = null;
      const running = await until(() => {
        if (failure !== null) throw new Error(failure);
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
    settled: () => until(() => (isPlanning || isDirty ? null : true)).then(() => undefined),
  };
}

function viewOf({ lap, plan }: Deployed, status: PlanView['status']): PlanView {
  const { lapMs: predictedMsPerToken, why } = plan;
  return {
    planVersion: lap.planVersion,
    stages: [...lap.stages],
    predictedMsPerToken,
    why,
    status,
  };
}

function waitingIn(
  proposal: { waitingFor: WaitingFor } | Extract<RoomPlan, { feasible: false }>,
): WaitingFor {
  if ('waitingFor' in proposal) return proposal.waitingFor;
  return { kind: 'memory', sentence: proposal.why };
}

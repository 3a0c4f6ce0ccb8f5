/**
 * Keeps the room's plan fitting its members: plans anew at every change, has the devices load what the
 * new plan gives them beside what runs, and switches when every one of them is ready and no answer is
 * on its way. One roll-out at a time; a change meanwhile starts another after it.
 */
import { devicesOf, sameStages, type Lap } from '../lap.ts';
import type { PlanView, WaitingFor } from '../view.ts';
import type { RoomPlan } from './room-plan.ts';

/** The plan in use, as an answer sees it. */
export interface RunningLap {
  lap: Lap;
  predictedMsPerToken: number;
  /** Aborts, with a sentence, when a device of the lap leaves or fails: what was on its way is lost. */
  lost: AbortSignal;
}

export interface PlanningOptions {
  /** `waitingFor` while the room is not complete enough to plan at all. */
  propose: () => RoomPlan | { waitingFor: WaitingFor };
  /** Whether loading the lap beside what is loaded would break some device's memory budget. */
  overflows: (lap: Lap) => boolean;
  /** Has every device of the lap load its rows; rejects with a sentence when one cannot. */
  rollOut: (lap: Lap, dropFirst: boolean) => Promise<void>;
  adopt: (lap: Lap) => void;
  /** A plan replaces a running one only if it is better by this share; null: whenever it differs. */
  worthwhileGain: number | null;
  onView: (plan: PlanView | null, waitingFor: WaitingFor | null) => void;
}

export interface Planning {
  /** Something about the members changed. */
  changed(): void;
  /** A device of the room is gone, or failed: every lap with it is lost. */
  lose(deviceId: string, reason: string): void;
  /**
   * Runs `work` on the plan in use, waiting for one if there is none. Rejects with a sentence when the
   * host itself cannot run the model.
   */
  use<T>(work: (running: RunningLap) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Settles when no planning or roll-out is under way. */
  settled(): Promise<void>;
}

interface Rolled extends RunningLap {
  losing: AbortController;
  why: string;
  /** Every device holds its rows; the plan runs as soon as no answer is on its way. */
  isReady: boolean;
}

export function createPlanning(options: PlanningOptions): Planning {
  let current: Rolled | null = null;
  /** Being rolled out, or ready and waiting for the answers on the current lap to end. */
  let next: Rolled | null = null;
  let lastEpoch = 0;
  let users = 0;
  let isDirty = false;
  let isPlanning = false;
  /** Why the host cannot run the model at all, until something changes. */
  let failure: string | null = null;
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
          reject(error instanceof Error ? error : new Error(String(error)));
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
      await planOnce();
    }
    isPlanning = false;
    wake();
  }

  async function planOnce(): Promise<void> {
    failure = null;
    const proposal = options.propose();
    if ('waitingFor' in proposal || !proposal.feasible) {
      if (!current) options.onView(null, waitingIn(proposal));
      return;
    }
    const target = next ?? current;
    if (target && !isWorthwhile(target, proposal)) return;
    const rolled = newRolled(proposal);
    next = rolled;
    const dropFirst = options.overflows(rolled.lap);
    if (dropFirst) {
      await until(() => (users === 0 ? true : null));
      current = null;
    }
    if (!current) options.onView(viewOf(rolled, 'loading'), null);
    try {
      await options.rollOut(rolled.lap, dropFirst);
      rolled.lost.throwIfAborted();
    } catch (error) {
      next = null;
      if (isDirty || current) return;
      failure = error instanceof Error ? error.message : String(error);
      options.onView(null, { kind: 'failure', sentence: failure });
      wake();
      return;
    }
    rolled.isReady = true;
    adoptIfIdle();
  }

  function newRolled(proposal: Extract<RoomPlan, { feasible: true }>): Rolled {
    const losing = new AbortController();
    return {
      lap: { epoch: ++lastEpoch, stages: proposal.stages },
      predictedMsPerToken: proposal.msPerToken,
      why: proposal.why,
      losing,
      lost: losing.signal,
      isReady: false,
    };
  }

  function isWorthwhile(target: Rolled, proposal: Extract<RoomPlan, { feasible: true }>): boolean {
    if (sameStages(target.lap.stages, proposal.stages)) return false;
    if (options.worthwhileGain === null) return true;
    return proposal.msPerToken < target.predictedMsPerToken * (1 - options.worthwhileGain);
  }

  function adoptIfIdle(): void {
    if (!next?.isReady || (users > 0 && current)) return;
    current = next;
    next = null;
    options.adopt(current.lap);
    options.onView(viewOf(current, 'running'), null);
    wake();
  }

  /** The same plan without `deviceId` is no plan: whoever runs on it is told. */
  function without(rolled: Rolled | null, deviceId: string, reason: string): Rolled | null {
    if (!rolled || !devicesOf(rolled.lap).has(deviceId)) return rolled;
    rolled.losing.abort(new Error(reason));
    return null;
  }

  function changed(): void {
    isDirty = true;
    if (!isPlanning) void planWhileDirty();
  }

  return {
    changed,
    lose(deviceId, reason) {
      current = without(current, deviceId, reason);
      next = without(next, deviceId, reason);
      if (!current && !next) options.onView(null, { kind: 'preparing', sentence: reason });
      adoptIfIdle();
      changed();
    },
    async use(work, signal) {
      const running = await until(() => {
        if (failure !== null) throw new Error(failure);
        return current;
      }, signal);
      users++;
      try {
        return await work(running);
      } finally {
        users--;
        adoptIfIdle();
        wake();
      }
    },
    settled: () => until(() => (isPlanning || isDirty ? null : true)).then(() => undefined),
  };
}

function waitingIn(
  proposal: { waitingFor: WaitingFor } | Extract<RoomPlan, { feasible: false }>,
): WaitingFor {
  if ('waitingFor' in proposal) return proposal.waitingFor;
  return { kind: 'memory', sentence: proposal.why };
}

function viewOf({ lap, predictedMsPerToken, why }: Rolled, status: PlanView['status']): PlanView {
  return { epoch: lap.epoch, stages: [...lap.stages], predictedMsPerToken, why, status };
}

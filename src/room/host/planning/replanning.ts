/**
 * Makes the plan anew whenever something changed: asks what the room should run, has its devices load it beside what
 * runs, and takes it into use when all of them are ready. One deployment at a time; a change meanwhile starts another
 * after it.
 */
import type { ConditionVariable } from '../../../base/condition-variable.ts';
import { errorMessage } from '../../../base/error-message.ts';
import { sameStages, type Lap } from '../../lap.ts';
import type { PlanView, WaitingFor } from '../../view.ts';
import type { PlansInUse, RunningLap } from './plans-in-use.ts';
import type { FeasibleRoomPlan, RoomPlan, RoomPlanner } from './proposals/index.ts';

export interface ReplanningOptions {
  planner: Pick<RoomPlanner, 'propose' | 'isWorthwhile'>;
  inUse: PlansInUse;
  /** What waits for a plan, or for planning to end. */
  waits: ConditionVariable;
  /** Whether loading the lap beside what is loaded would break some device's memory budget. */
  overflows: (lap: Lap) => boolean;
  /** Has every device of the lap load its layers; rejects with a sentence when one cannot. */
  deploy: (lap: Lap, plan: FeasibleRoomPlan, dropFirst: boolean) => Promise<void>;
  onView: (plan: PlanView | null, waitingFor: WaitingFor | null) => void;
}

export interface Replanning {
  /** Plans anew, after the planning that is under way if there is one. */
  start(): void;
  /** The device was lost: what the planner proposes at this moment may still count on it. */
  lost(deviceId: string): void;
  isSettled(): boolean;
  /** Why there is no plan, or the host cannot run it, until something changes. */
  failure(): string | null;
  /** What is missing for any plan at all, until something changes. */
  lacking(): string | null;
}

type NoPlan = { waitingFor: WaitingFor } | Extract<RoomPlan, { feasible: false }>;

export function createReplanning(options: ReplanningOptions): Replanning {
  const { planner, inUse, waits, onView } = options;
  let isDirty = false;
  let isPlanning = false;
  const lostMeanwhile = new Set<string>();
  let failure: string | null = null;
  let lacking: string | null = null;

  async function planWhileDirty(): Promise<void> {
    isPlanning = true;
    while (isDirty) {
      isDirty = false;
      // Whatever goes wrong with one plan must not keep the room from the next.
      await planOnce().catch(fail);
    }
    isPlanning = false;
    waits.notify();
  }

  async function planOnce(): Promise<void> {
    failure = null;
    lostMeanwhile.clear();
    const proposal = await planner.propose();
    if ('waitingFor' in proposal || !proposal.feasible) {
      if (!inUse.current()) waitFor(proposal);
      return;
    }
    if (proposal.stages.some(({ device }) => lostMeanwhile.has(device))) return;
    lacking = null;
    const current = inUse.current();
    if (current && sameStages(current.lap.stages, proposal.stages)) {
      // The same work, but devices or links have been measured anew: so is what it should take.
      current.plan = proposal;
      onView(viewOf(current, 'running'), null);
      return;
    }
    if (current && !planner.isWorthwhile(proposal, current.plan)) return;
    await putIntoUse(proposal);
  }

  function waitFor(noPlan: NoPlan): void {
    const waitingFor: WaitingFor =
      'waitingFor' in noPlan ? noPlan.waitingFor : { kind: 'memory', sentence: noPlan.why };
    lacking = waitingFor.kind === 'preparing' ? null : waitingFor.sentence;
    onView(null, waitingFor);
  }

  async function putIntoUse(plan: FeasibleRoomPlan): Promise<void> {
    const added = inUse.add(plan);
    const dropFirst = options.overflows(added.lap);
    if (dropFirst) {
      // Both plans together do not fit: the answers on the old one end first, and new ones wait.
      inUse.retire();
      await waits.until(() => (inUse.hasEnding() ? null : true));
    }
    if (!inUse.current()) onView(viewOf(added, 'loading'), null);
    try {
      await options.deploy(added.lap, plan, dropFirst);
      added.lost.throwIfAborted();
    } catch (error) {
      inUse.discard();
      fail(error);
      return;
    }
    inUse.promote();
    onView(viewOf(added, 'running'), null);
    waits.notify();
  }

  /** What runs goes on; where nothing does, and nothing has changed since, whoever waits is told. */
  function fail(error: unknown): void {
    if (isDirty || inUse.current()) return;
    failure = errorMessage(error);
    onView(null, { kind: 'failure', sentence: failure });
    waits.notify();
  }

  return {
    start() {
      isDirty = true;
      if (!isPlanning) void planWhileDirty();
    },
    lost: (deviceId) => void lostMeanwhile.add(deviceId),
    isSettled: () => !isPlanning && !isDirty,
    failure: () => failure,
    lacking: () => lacking,
  };
}

/** The plan as a screen shows it. */
export function viewOf({ lap, plan }: RunningLap, status: PlanView['status']): PlanView {
  const { lapMs: predictedMsPerToken, why } = plan;
  return {
    planVersion: lap.planVersion,
    stages: [...lap.stages],
    predictedMsPerToken,
    why,
    status,
  };
}

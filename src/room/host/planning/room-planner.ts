/** What the room should run now: the planner asked with what the members measured, and what to do about a loss. */
import { startPlanner } from '../../../planner/index.ts';
import type { Manifest } from '../../../model/manifest.ts';
import { devicesOf, type Lap } from '../../lap.ts';
import type { HostOptions } from '../../room.ts';
import type { WaitingFor } from '../../view.ts';
import { brokenBecause, type Members } from './lap-facts.ts';
import { createPlanChooser } from './plan-chooser.ts';
import {
  planRoom,
  repriced,
  tokensPerMs,
  type FeasibleRoomPlan,
  type RoomPlan,
  type RoomPlanInput,
} from './room-plan.ts';
import { createFailoverPlans, type StandbyLayers } from './failover-plans.ts';
import {
  layersHeld,
  type MeasuredMember,
  measuredMembers,
  type Member,
} from '../membership/index.ts';

export interface RoomPlannerOptions {
  host: Member;
  members: Members;
  manifest: Manifest;
  contextLength: number;
  /** Positions before the token that plans are made for. */
  position: number;
  room: Pick<HostOptions, 'wire' | 'plan' | 'expectedDevices' | 'standby'>;
  /** A member's profile as it computes, beside what it had measured. */
  calibrated: (member: MeasuredMember) => MeasuredMember;
  wireShare: NonNullable<RoomPlanInput['wireShare']>;
  /** Answers that the plan is to serve. */
  inFlight: () => number;
  hasEverRun: () => boolean;
  /** Aborts when the room ends. */
  signal: AbortSignal;
  /** There is something better to propose than the last time. */
  onBetter: () => void;
  /** This device should keep these layers ready, in case another one leaves. */
  onStandby: (deviceId: string, standby: StandbyLayers) => void;
}

export interface RoomPlanner {
  /** What plans are made from now. */
  input(): RoomPlanInput;
  propose(): Promise<RoomPlan | { waitingFor: WaitingFor }>;
  isWorthwhile(proposal: FeasibleRoomPlan, running: FeasibleRoomPlan): boolean;
  repriced(running: FeasibleRoomPlan): FeasibleRoomPlan | null;
  /** Whether the room could go on if this device were lost now. */
  canDoWithout(deviceId: string): boolean;
  /** This lap runs from now on. */
  runs(lap: Lap): void;
}

/** A device that joins should be worth a reshuffle of shards. */
const worthwhileGain = 0.03;
/** A plan that can begin soon is followed by the best one: it may be this much slower. */
const soonTolerance = 0.5;
/** After a loss a plan is wanted now; a better one follows. */
const failoverPatienceMs = 50;
/** A plan for what may never happen is not worth more of the machine. */
const failoverLimitMs = 300;

export function createRoomPlanner(options: RoomPlannerOptions): RoomPlanner {
  const { host, members, manifest, contextLength, position, room, signal } = options;
  const planner = startPlanner();
  /** Plans for losses are made beside those for now, and never in front of them. */
  const standby = startPlanner();
  signal.addEventListener('abort', () => {
    planner.dispose();
    standby.dispose();
  });
  const choose = createPlanChooser(planner, options.onBetter);
  const limits = { patienceMs: failoverPatienceMs, timeLimitMs: failoverLimitMs };
  const chooseSoon = createPlanChooser(planner, options.onBetter, limits);
  const failoverPlans = createFailoverPlans({
    input,
    choose: createPlanChooser(standby, () => undefined, {
      patienceMs: 2 * failoverLimitMs,
      timeLimitMs: failoverLimitMs,
    }),
    onStandby(standby) {
      if (!room.standby) return;
      for (const [deviceId, layers] of standby) options.onStandby(deviceId, layers);
    },
  });
  /** The last lap that ran, if only until one of its devices was lost. */
  let running: Lap | null = null;
  let isFailover = false;
  /** The lap and the members that losses were thought through for. */
  let preparedFor = '';

  function input(): RoomPlanInput {
    const { wire, plan: choice } = room;
    const measured = measuredMembers(members.values()).map(options.calibrated);
    const inFlight = options.inFlight();
    const { wireShare } = options;
    return {
      manifest,
      contextLength,
      wire,
      choice,
      members: measured,
      inFlight,
      position,
      wireShare,
    };
  }

  function missingFrom({ stages }: Pick<Lap, 'stages'>, now: RoomPlanInput): string[] {
    const there = new Set(now.members.map(({ id }) => id));
    return [...devicesOf({ planVersion: 0, stages })].filter((id) => !there.has(id));
  }

  function isPossible({ stages }: Pick<Lap, 'stages'>, now: RoomPlanInput): boolean {
    if (missingFrom({ stages }, now).length > 0) return false;
    return brokenBecause(members, { planVersion: 0, stages }) === null;
  }

  function prepareForLosses({ members: measured }: RoomPlanInput): void {
    if (!running) return;
    const budgets = measured.map(({ id, profile }) => [id, profile.budgetBytes]);
    const now = JSON.stringify([running.planVersion, budgets]);
    if (now === preparedFor) return;
    preparedFor = now;
    failoverPlans.prepare(running);
  }

  /** One that can begin soon, since it leaves most layers where they are. */
  async function failover(lap: Lap, now: RoomPlanInput): Promise<RoomPlan> {
    const missing = missingFrom(lap, now);
    const plan = missing.length === 1 ? failoverPlans.without(missing[0]) : null;
    if (plan && isPossible(plan, now)) return repriced(now, plan) ?? plan;
    return planRoom({ ...now, loaded: loadedIn(now), loadTolerance: soonTolerance }, chooseSoon);
  }

  function loadedIn(now: RoomPlanInput): Map<string, number[]> {
    return new Map(now.members.map((member) => [member.id, layersHeld(member)]));
  }

  return {
    input,
    async propose() {
      if (!host.profile) return { waitingFor: gettingReady };
      const now = input();
      const missing = room.expectedDevices - now.members.length;
      if (missing > 0 && !options.hasEverRun()) return { waitingFor: waitingForDevices(missing) };
      isFailover = running !== null && !isPossible(running, now);
      if (running && isFailover) return failover(running, now);
      if (!running) return planRoom(now, choose);
      prepareForLosses(now);
      const loaded = loadedIn(now);
      return planRoom({ ...now, loaded, loadTolerance: worthwhileGain }, choose);
    },
    isWorthwhile(proposal, running) {
      if (room.plan !== 'auto') return true;
      const now = input();
      const priced = repriced(now, running);
      if (!priced) return true;
      return (
        tokensPerMs(proposal, now.inFlight) / tokensPerMs(priced, now.inFlight) > 1 + worthwhileGain
      );
    },
    repriced: (running) => repriced(input(), running),
    canDoWithout(deviceId) {
      if (!running) return false;
      const now = input();
      // Where nothing runs any more, or not on it, nothing is given up.
      if (!devicesOf(running).has(deviceId) || !isPossible(running, now)) return true;
      const plan = failoverPlans.without(deviceId);
      return plan !== null && isPossible(plan, now);
    },
    runs(lap) {
      running = lap;
      prepareForLosses(input());
      if (!isFailover) return;
      isFailover = false;
      options.onBetter();
    },
  };
}

const gettingReady: WaitingFor = { kind: 'preparing', sentence: 'This device is getting ready.' };

function waitingForDevices(missing: number): WaitingFor {
  const devices = missing === 1 ? 'device' : 'devices';
  return { kind: 'devices', sentence: `Waiting for ${missing} more ${devices}.` };
}

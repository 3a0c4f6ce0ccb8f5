/**
 * Proposes what the room should run now: the planner is asked with what the members measured. After a loss it proposes
 * the failover plan that was made for it.
 */
import type { Manifest } from '../../../../model/manifest.ts';
import { devicesOf, type Lap } from '../../../lap.ts';
import type { HostOptions } from '../../../room.ts';
import type { WaitingFor } from '../../../view.ts';
import { layersHeld, measuredMembers, type Member } from '../../membership/index.ts';
import type { Speeds } from '../../profiling/index.ts';
import { brokenBecause } from './broken-laps.ts';
import { createFailoverPlans, type StandbyLayers } from './failover-plans.ts';
import { repriced, tokensPerMs, type FeasibleRoomPlan } from './plan-price.ts';
import { startPlannerWorkers } from './planner-workers.ts';
import { planRoom, type RoomPlan } from './room-plan.ts';
import type { RoomPlanInput } from './room-problem.ts';

export interface RoomPlannerOptions {
  host: Member;
  members: ReadonlyMap<string, Member>;
  manifest: Manifest;
  contextLength: number;
  /** Positions before the token that plans are made for. */
  position: number;
  room: Pick<HostOptions, 'wire' | 'plan' | 'expectedDevices' | 'standby'>;
  speeds: Pick<Speeds, 'calibrated' | 'wireShare'>;
  /** Answers that the plan is to serve. */
  inFlight: () => number;
  /** Whether the room has run any plan so far. */
  hasEverDeployed: () => boolean;
  /** There is something better to propose than the last time. */
  onBetter: () => void;
  /** This device should keep these layers ready, in case another one leaves. */
  onStandby: (deviceId: string, standby: StandbyLayers) => void;
  /** Aborts when the room ends. */
  signal: AbortSignal;
}

export interface RoomPlanner {
  /** What plans are made from now. */
  input(): RoomPlanInput;
  /** `waitingFor` while the room is not complete enough to plan at all. */
  propose(): Promise<RoomPlan | { waitingFor: WaitingFor }>;
  /** Whether the proposal is worth its deployment in place of a plan that works. */
  isWorthwhile(proposal: FeasibleRoomPlan, running: FeasibleRoomPlan): boolean;
  /** The running plan with what it should take by what is known now; null where that cannot be said. */
  repriced(running: FeasibleRoomPlan): FeasibleRoomPlan | null;
  /** Whether the room could go on if this device were lost now. */
  canDoWithout(deviceId: string): boolean;
  /** This lap runs from now on. */
  runs(lap: Lap): void;
}

/** Another plan must be better by this much before layers move. */
const worthwhileGain = 0.03;
/** A plan that can begin soon is followed by the best one: it may be this much slower. */
const soonTolerance = 0.5;

export function createRoomPlanner(options: RoomPlannerOptions): RoomPlanner {
  const { host, members, manifest, contextLength, position, room, speeds } = options;
  const workers = startPlannerWorkers(options.signal, options.onBetter);
  const failoverPlans = createFailoverPlans({
    input,
    choose: workers.chooseInAdvance,
    onStandby(standby) {
      if (!room.standby) return;
      for (const [deviceId, layers] of standby) options.onStandby(deviceId, layers);
    },
  });
  /** The last lap that ran, if only until one of its devices was lost. */
  let running: Lap | null = null;
  let isFailover = false;
  /** The lap and the members that failover plans were made for. */
  let preparedFor = '';

  function input(): RoomPlanInput {
    return {
      manifest,
      contextLength,
      wire: room.wire,
      choice: room.plan,
      members: measuredMembers(members.values()).map((member) => ({
        ...member,
        profile: speeds.calibrated(member.id, member.profile),
      })),
      inFlight: options.inFlight(),
      position,
      wireShare: (from, to) => speeds.wireShare(from, to),
    };
  }

  function isPossible(lap: Pick<Lap, 'stages'>, now: RoomPlanInput): boolean {
    return missingFrom(lap, now).length === 0 && brokenBecause(members, lap) === null;
  }

  function prepareForLosses({ members: measured }: RoomPlanInput): void {
    if (!running) return;
    const budgets = measured.map(({ id, profile }) => [id, profile.budgetBytes]);
    const now = JSON.stringify([running.planVersion, budgets]);
    if (now === preparedFor) return;
    preparedFor = now;
    failoverPlans.prepare(running);
  }

  /** A plan that can begin soon, since it leaves most layers where they are. */
  async function failover(lap: Lap, now: RoomPlanInput): Promise<RoomPlan> {
    const missing = missingFrom(lap, now);
    const plan = missing.length === 1 ? failoverPlans.without(missing[0]) : null;
    if (plan && isPossible(plan, now)) return repriced(now, plan) ?? plan;
    const soon = { ...now, loaded: loadedIn(now), loadTolerance: soonTolerance };
    return planRoom(soon, workers.chooseAfterLoss);
  }

  return {
    input,
    async propose() {
      if (!host.profile) return { waitingFor: gettingReady };
      const now = input();
      const missing = room.expectedDevices - now.members.length;
      if (missing > 0 && !options.hasEverDeployed())
        return { waitingFor: waitingForDevices(missing) };
      isFailover = running !== null && !isPossible(running, now);
      if (running && isFailover) return failover(running, now);
      if (!running) return planRoom(now, workers.choose);
      prepareForLosses(now);
      const loaded = loadedIn(now);
      return planRoom({ ...now, loaded, loadTolerance: worthwhileGain }, workers.choose);
    },
    isWorthwhile(proposal, running) {
      if (room.plan !== 'auto') return true;
      const now = input();
      const priced = repriced(now, running);
      if (!priced) return true;
      const { inFlight } = now;
      return tokensPerMs(proposal, inFlight) / tokensPerMs(priced, inFlight) > 1 + worthwhileGain;
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

/** Devices of the lap that cannot be planned with now. */
function missingFrom({ stages }: Pick<Lap, 'stages'>, now: RoomPlanInput): string[] {
  const there = new Set(now.members.map(({ id }) => id));
  return [...devicesOf({ planVersion: 0, stages })].filter((id) => !there.has(id));
}

function loadedIn(now: RoomPlanInput): Map<string, number[]> {
  return new Map(now.members.map((member) => [member.id, layersHeld(member)]));
}

const gettingReady: WaitingFor = { kind: 'preparing', sentence: 'This device is getting ready.' };

function waitingForDevices(missing: number): WaitingFor {
  const devices = missing === 1 ? 'device' : 'devices';
  return { kind: 'devices', sentence: `Waiting for ${missing} more ${devices}.` };
}

/**
 * The plans of the room: each made from what is known of the devices and their load, deployed to the devices
 * that it gives layers, shown, and lost with any one of them.
 */
import type { Manifest } from '../../../model/manifest.ts';
import { devicesOf, rangesOf, layersOf, type Lap } from '../../lap.ts';
import type { HostOptions } from '../../room.ts';
import type { PlanReasons } from '../../view.ts';
import type { ViewStore } from '../../view-store.ts';
import { brokenBecause, missingLayers, overflows, sequenceCapacity } from './lap-facts.ts';
import { createLoad, type Load } from './load.ts';
import { planReasons } from './plan-reasons.ts';
import { createPlanning, type Planning } from './planning.ts';
import { createDeployment } from './deployment.ts';
import { hiddenBytes } from './room-plan.ts';
import { createRoomPlanner } from './room-planner.ts';
import {
  type DeviceHandlers,
  type Liveness,
  type Member,
  nameOf,
  type RoomEmitter,
  type Roster,
} from '../membership/index.ts';
import type { HostDevice } from '../host-device/index.ts';
import type { PieceTracker } from '../weights/index.ts';
import { createSpeeds, type Speeds } from '../profiling/index.ts';

export interface PlansOptions {
  options: HostOptions;
  manifest: Manifest;
  contextLength: number;
  /** Positions before the token that plans are made for. */
  position: number;
  store: ViewStore;
  roster: Roster;
  liveness: Liveness;
  hostDevice: HostDevice;
  sourcesOf: PieceTracker['sourcesOf'];
  /** Told `layersLost`, `lapsKept`, `layersMoved` and `planChanged`. */
  events: RoomEmitter;
  /** Aborts when the room ends. */
  signal: AbortSignal;
}

export interface Plans {
  planning: Planning;
  load: Load;
  speeds: Speeds;
  /** Something of the devices changed: it is shown, and may be worth another plan. */
  changed(): void;
  /** Nothing that the device held can be reckoned with any more, for a reason in a sentence. */
  lose(deviceId: string, reason: string): void;
  left(member: Member): void;
  /** It does not answer: plans do without it while its `isAway` is set. */
  away(member: Member): void;
  /** Whether the room could go on if this device were lost now. */
  canDoWithout(deviceId: string): boolean;
  /** How many answers fit the devices' memory together; at least 1. */
  capacity(): number;
  /** How many sequences one device may open on another's stages, or the host's. */
  mostSequences(): number;
  /** Why the plan that runs is as it is; null while none runs. */
  explain(): Promise<PlanReasons | null>;
  readonly handlers: DeviceHandlers<'measured' | 'visibility' | 'budget' | 'ready' | 'unable'>;
}

/** A device may hear of a sequence's end after the beginning of the next, which comes another way. */
const sequenceHeadroom = 2;

export function createPlans(room: PlansOptions): Plans {
  const { options, manifest, contextLength, position, store, roster, events, signal } = room;
  const { members, host } = roster;

  let toldMost: number = sequenceHeadroom;

  const planner = createRoomPlanner({
    host,
    members,
    manifest,
    contextLength,
    position,
    room: options,
    calibrated: (member) => ({
      ...member,
      profile: speeds.calibrated(member.id, member.profile),
    }),
    wireShare: (from, to) => speeds.wireShare(from, to),
    inFlight: () => load.answers(),
    hasEverRun: () => deployment.hasEverRun,
    signal,
    onBetter: () => planning.changed(),
    onStandby(deviceId, standby) {
      if (deviceId === 'host') {
        void room.hostDevice.keepStandby(standby.layers);
        return;
      }
      for (const source of room.sourcesOf(standby.layers, deviceId))
        roster.tell(deviceId, { kind: 'layer-sources', ...source });
      roster.tell(deviceId, { kind: 'keep-standby', ...standby });
    },
  });
  const planning = createPlanning({
    propose: () => planner.propose(),
    isWorthwhile: (proposal, running) => planner.isWorthwhile(proposal, running),
    repriced: (running) => planner.repriced(running),
    brokenBecause: (lap) => brokenBecause(members, lap),
    overflows: (lap) => overflows(members, lap),
    deployment(lap, plan, dropFirst) {
      tellMostSequences(lap);
      // Layers that are dropped first are gone even if the rest of the deployment fails.
      if (dropFirst) events.emit('lapsKept', [lap]);
      const stop = room.liveness.waitFor(devicesOf(lap), null);
      return deployment.run(lap, plan, dropFirst).finally(stop);
    },
    onLaps: keepLaps,
    onView(plan, waitingFor) {
      store.update({ plan, waitingFor });
      events.emit('planChanged');
    },
  });
  const load = createLoad(() => planning.changed());
  const speeds = createSpeeds({
    roster,
    headLayer: manifest.layers.length - 1,
    hiddenBytes: hiddenBytes(manifest.config, options.wire),
    reprice: () => planning.reprice(),
    planAnew: () => planning.changed(),
    signal,
  });
  const deployment = createDeployment({
    members,
    sourcesOf: (lap, deviceId) =>
      room.sourcesOf(missingLayers(members.get(deviceId), lap, deviceId), deviceId),
    prepareHost: (lap, dropFirst) => room.hostDevice.prepare(lap, dropFirst),
    exclude,
  });

  function keepLaps(laps: Lap[]): void {
    const planVersions = laps.map(({ planVersion }) => planVersion);
    events.emit('lapsKept', laps);
    for (const member of members.values()) {
      const layers = laps.flatMap((lap) => layersOf(lap, member.id));
      member.layers = rangesOf([...new Set(layers)].sort((a, b) => a - b));
      member.link?.sendControl({ kind: 'keep-laps', planVersions });
    }
    void room.hostDevice.keepLaps(new Set(planVersions));
    events.emit('layersMoved');
    roster.show();
    planner.runs(laps[laps.length - 1]);
  }

  function capacityOf(lap: Lap | undefined): number {
    const most = lap ? sequenceCapacity(members, lap, manifest, contextLength) : 1;
    return Math.min(most, options.maxInFlight ?? most);
  }

  /** Before the devices of that lap are given layers, for whichever lap takes more. */
  function tellMostSequences(next: Lap | undefined): void {
    const most = sequenceHeadroom * Math.max(capacityOf(next), capacityOf(planning.current()?.lap));
    if (most === toldMost && !next) return;
    toldMost = most;
    roster.tellAll({ kind: 'most-sequences', most });
  }

  function exclude(member: Member, reason: string): void {
    member.excluded = reason;
    member.status = { kind: 'failed', reason };
    roster.notice(`${nameOf(member)} gets no layers any more: ${reason}`);
    roster.show();
    lose(member.id, `${member.label} failed; its layers move to the others.`);
  }

  function changed(): void {
    roster.show();
    if (planning.current()) tellMostSequences(undefined);
    planning.changed();
  }

  function lose(deviceId: string, reason: string): void {
    events.emit('layersLost', deviceId);
    planning.lose(deviceId, reason);
  }

  return {
    planning,
    load,
    speeds,
    changed,
    lose,
    left(member) {
      speeds.left(member.id);
      deployment.lost(member, 'left');
    },
    away(member) {
      deployment.lost(member, 'does not answer');
      lose(member.id, `${member.label} does not answer; its layers move to the others.`);
    },
    canDoWithout: (deviceId) => planner.canDoWithout(deviceId),
    capacity: () => capacityOf(planning.current()?.lap),
    mostSequences: () => toldMost,
    async explain() {
      const running = planning.current();
      return running && planReasons(planner.input(), running.lap.stages);
    },
    handlers: {
      measured: (member, { compute }) => speeds.measured(member, compute),
      visibility(member, { isHidden }) {
        speeds.visibilityChanged(member, isHidden);
        roster.show();
      },
      budget(member, { budgetBytes }) {
        if (member.profile) member.profile.budgetBytes = budgetBytes;
        changed();
      },
      ready: (member, { planVersion }) => deployment.ready(member, planVersion),
      unable: (member, { planVersion, reason }) => deployment.unable(member, planVersion, reason),
    },
  };
}

/**
 * The plans of the room: each is made from what is known of the devices and their load, deployed to the devices that it
 * gives layers, shown, and lost with any one of them.
 */
import type { Manifest } from '../../../model/manifest.ts';
import { devicesOf, rangesOf, layersOf, type Lap } from '../../lap.ts';
import type { HostOptions } from '../../room.ts';
import type { PlanReasons } from '../../view.ts';
import type { ViewStore } from '../../view-store.ts';
import { createDeployer } from './deployer.ts';
import { missingLayers, overflows } from './lap-limits.ts';
import { createLoad, type Load } from './load.ts';
import { createPlanning, type Planning } from './planning.ts';
import {
  brokenBecause,
  createRoomPlanner,
  hiddenBytes,
  planReasons,
  type StandbyLayers,
} from './proposals/index.ts';
import { createSequenceLimits } from './sequence-limits.ts';
import type { HostDevice } from '../host-device/index.ts';
import {
  type DeviceHandlers,
  type Liveness,
  type Member,
  nameOf,
  type RoomEmitter,
  type Roster,
} from '../membership/index.ts';
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

export function createPlans(room: PlansOptions): Plans {
  const { options, manifest, contextLength, position, store, roster, events, signal } = room;
  const { members, host } = roster;

  const load = createLoad(() => planning.changed());
  const speeds = createSpeeds({
    roster,
    headLayer: manifest.layers.length - 1,
    hiddenBytes: hiddenBytes(manifest.config, options.wire),
    reprice: () => planning.reprice(),
    planAnew: () => planning.changed(),
    signal,
  });
  const deployer = createDeployer({
    members,
    sourcesOf: (lap, deviceId) =>
      room.sourcesOf(missingLayers(members.get(deviceId), lap, deviceId), deviceId),
    prepareHost: (lap, dropFirst) => room.hostDevice.prepare(lap, dropFirst),
    exclude,
  });
  const planner = createRoomPlanner({
    host,
    members,
    manifest,
    contextLength,
    position,
    room: options,
    speeds,
    inFlight: () => load.answers(),
    hasEverDeployed: () => deployer.hasEverDeployed,
    onBetter: () => planning.changed(),
    onStandby: (deviceId, standby) => keepStandby(room, deviceId, standby),
    signal,
  });
  const planning = createPlanning({
    planner,
    brokenBecause: (lap) => brokenBecause(members, lap),
    overflows: (lap) => overflows(members, lap),
    deploy(lap, plan, dropFirst) {
      limits.tell(lap);
      // Layers that are dropped first are gone even if the rest of the deployment fails.
      if (dropFirst) events.emit('lapsKept', [lap]);
      const stop = room.liveness.waitFor(devicesOf(lap), null);
      return deployer.deploy(lap, plan, dropFirst).finally(stop);
    },
    onLaps(laps) {
      keepLaps(room, laps);
      planner.runs(laps[laps.length - 1]);
    },
    onView(plan, waitingFor) {
      store.update({ plan, waitingFor });
      events.emit('planChanged');
    },
  });
  const limits = createSequenceLimits({
    roster,
    manifest,
    contextLength,
    maxInFlight: options.maxInFlight,
    current: () => planning.current()?.lap,
  });

  function exclude(member: Member, reason: string): void {
    member.excluded = reason;
    member.status = { kind: 'failed', reason };
    roster.notice(`${nameOf(member)} gets no blocks any more: ${reason}`);
    roster.show();
    lose(member.id, `${member.label} failed; its blocks move to the others.`);
  }

  function changed(): void {
    roster.show();
    if (planning.current()) limits.tell();
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
      deployer.lost(member, 'left');
    },
    away(member) {
      deployer.lost(member, 'does not answer');
      lose(member.id, `${member.label} does not answer; its blocks move to the others.`);
    },
    canDoWithout: (deviceId) => planner.canDoWithout(deviceId),
    capacity: () => limits.capacity(),
    mostSequences: () => limits.most(),
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
      ready: (member, { planVersion }) => deployer.ready(member, planVersion),
      unable: (member, { planVersion, reason }) => deployer.unable(member, planVersion, reason),
    },
  };
}

/** These laps are in use: every device keeps its layers of them, and drops the rest. */
function keepLaps({ roster, hostDevice, events }: PlansOptions, laps: Lap[]): void {
  const planVersions = laps.map(({ planVersion }) => planVersion);
  events.emit('lapsKept', laps);
  for (const member of roster.members.values()) {
    const layers = laps.flatMap((lap) => layersOf(lap, member.id));
    member.layers = rangesOf([...new Set(layers)].sort((a, b) => a - b));
    member.link?.sendControl({ kind: 'keep-laps', planVersions });
  }
  void hostDevice.keepLaps(new Set(planVersions));
  events.emit('layersMoved');
  roster.show();
}

/** Has the device keep these layers ready, in case another one leaves. */
function keepStandby(
  { roster, hostDevice, sourcesOf }: PlansOptions,
  deviceId: string,
  standby: StandbyLayers,
): void {
  if (deviceId === 'host') {
    void hostDevice.keepStandby(standby.layers);
    return;
  }
  for (const source of sourcesOf(standby.layers, deviceId))
    roster.tell(deviceId, { kind: 'layer-sources', ...source });
  roster.tell(deviceId, { kind: 'keep-standby', ...standby });
}

/**
 * Laps as the host runs them. They start and end at its own stages, and are watched on their way, since any device may
 * compute wrongly, hand nothing on, or be gone.
 */
import type { Manifest } from '../../model/manifest.ts';
import type { HostOptions } from '../room.ts';
import type { Peers } from '../links/index.ts';
import type { Removal } from './admission/index.ts';
import type { HostDevice } from './host-device/index.ts';
import type { Liveness, Roster } from './membership/index.ts';
import type { Caches } from './kv-cache/index.ts';
import type { Plans } from './planning/index.ts';
import { createLapRunner, type LapRunner, watchLaps } from './decoding/index.ts';
import type { SharedModel } from './weights/index.ts';
import {
  createStalledLaps,
  createVerification,
  type StalledLaps,
  type Verification,
} from './verification/index.ts';

export interface WatchedLapsOptions {
  options: HostOptions;
  manifest: Manifest;
  roster: Roster;
  removal: Removal;
  peers: Peers;
  sharedModel: SharedModel;
  hostDevice: HostDevice;
  liveness: Liveness;
  plans: Plans;
  caches: Caches;
}

export interface WatchedLaps {
  laps: LapRunner;
  verification: Verification;
  stalledLaps: StalledLaps;
}

export function createWatchedLaps(room: WatchedLapsOptions): WatchedLaps {
  const { options, manifest, roster, hostDevice, liveness, plans } = room;
  const runner = createLapRunner({
    start: (planVersion, start) => hostDevice.device?.start(planVersion, start),
    onLoneToken: (lap) => plans.speeds.observe(lap),
  });
  const verification = createVerification({ ...room, wire: options.wire, laps: runner });
  const stalledLaps = createStalledLaps({
    tell: (deviceId, message) => roster.tell(deviceId, message),
    hostProgress: (planVersion, sequence) =>
      hostDevice.device?.progress(planVersion, sequence) ?? [],
    headLayer: manifest.layers.length - 1,
    onKeeper: (deviceId) => verification.onKeeper(deviceId),
    onContradiction: (giver, taker) => verification.onContradiction(giver, taker),
  });
  const laps = verification.watching(stalledLaps.watching(watchLaps(runner, liveness)));
  return { laps, verification, stalledLaps };
}

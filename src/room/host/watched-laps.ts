/**
 * Laps as the host runs them: they start and end at its own stages, and are watched on their way, since any
 * device may compute wrongly, or be gone.
 */
import type { Manifest } from '../../model/manifest.ts';
import type { PieceCache } from '../../store/piece-cache.ts';
import type { HostOptions } from '../room.ts';
import type { ViewStore } from '../view-store.ts';
import { replayBudgetBytes } from '../replay/index.ts';
import type { Peers } from '../links/index.ts';
import {
  createHostDevice,
  type HostDevice,
  type Liveness,
  type Member,
  type Roster,
} from './membership/index.ts';
import type { Caches } from './kv-cache/index.ts';
import { mostTogether, type Plans } from './planning/index.ts';
import { createLapRunner, type LapRunner, watchLaps } from './decoding/index.ts';
import type { StageFailure } from '../stage/index.ts';
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
  contextLength: number;
  cache: PieceCache;
  store: ViewStore;
  roster: Roster;
  peers: Peers;
  sharedModel: SharedModel;
  caches: Caches;
  plans: Plans;
  liveness: Liveness;
  /** Out of the room, and never in again. */
  remove: (member: Member, reason: string) => void;
  /** Aborts when the room ends. */
  signal: AbortSignal;
}

export interface WatchedLaps {
  laps: LapRunner;
  own: HostDevice;
  verification: Verification;
  stalled: StalledLaps;
}

export function createWatchedLaps(room: WatchedLapsOptions): WatchedLaps {
  const { options, manifest, contextLength, cache, signal } = room;
  const { roster, peers, sharedModel, caches, plans } = room;
  const { reader } = sharedModel;
  const { members, host } = roster;
  const { config } = manifest;

  /** The answer or cache rebuild that it happened to begins again where it can. */
  function fail(failure: Omit<StageFailure, 'fault' | 'blames'>): void {
    caches.rebuilds.failed(failure.sequence, failure.reason);
    laps.onFailure(failure);
  }

  const verification = createVerification({
    members,
    manifest,
    wire: options.wire,
    own: () => own,
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    keepsLayer: (deviceId, layer) => sharedModel.keepsLayer(deviceId, layer),
    announce: (sentence) => roster.announce(sentence),
    lose(member, reason) {
      roster.show();
      plans.lose(member.id, reason);
    },
    distrustCaches() {
      for (const id of members.keys()) caches.lost(id);
    },
    regain: () => plans.changed(),
    onSeparated: () => plans.changed(),
    isInUse: (sequence) => caches.isInUse(sequence),
    tidy: () => caches.tidy(),
    fail,
    remove: room.remove,
  });
  const runner = createLapRunner({
    start: (planVersion, start) => own.device?.start(planVersion, start),
    onLoneToken: (lap) => plans.speeds.observe(lap),
  });
  const stalled = createStalledLaps({
    tell: (deviceId, message) => roster.tell(deviceId, message),
    own: (planVersion, sequence) => own.device?.progress(planVersion, sequence) ?? [],
    headLayer: manifest.layers.length - 1,
    onKeeper: (deviceId) => verification.onKeeper(deviceId),
    onContradiction: (giver, taker) => verification.onContradiction(giver, taker),
  });
  const laps = verification.watching(stalled.watching(watchLaps(runner, room.liveness)));
  const own = createHostDevice({
    host,
    room: options,
    model: { config, contextLength, weights: options.weights },
    manifest,
    stage: {
      deviceId: 'host',
      hiddenSize: config.hidden_size,
      contextLength,
      headLayer: manifest.layers.length - 1,
      wire: options.wire,
      limits: {
        mostTogether: () =>
          mostTogether(plans.planning.current()?.lap ?? null, plans.load.now(), options.maxBatch),
        mostSequences: () => plans.mostSequences(),
        replayBudgetBytes: () => replayBudgetBytes(host.profile?.budgetBytes ?? 0),
      },
      wires: peers,
      outcomes: {
        onLapEnd: (end) => laps.onLapEnd(end),
        onPieceRead: (piece) => caches.rebuilds.onPieceRead(piece) || laps.onPieceRead(piece),
        onFailure(failure) {
          if (failure.blames === null) fail(failure);
          else verification.onStageFailed(host, failure);
        },
      },
      boundaryTap: verification.boundaryTap,
    },
    onIdle: () => room.store.idle(),
    cache,
    reader,
    signal,
    onShown: () => roster.show(),
    onReady() {
      if (cache.problem !== null) roster.notice(cache.problem);
      plans.changed();
    },
    onLost: (reason) => plans.lose('host', reason),
    onFailed: (sentence) => room.store.update({ waitingFor: { kind: 'failure', sentence } }),
    onFellBack: (sentence) => roster.notice(sentence),
    onKeepsLayer: (layer) => sharedModel.keeps('host', layer, reader.foundHashes(layer)),
  });

  return { laps, own, verification, stalled };
}

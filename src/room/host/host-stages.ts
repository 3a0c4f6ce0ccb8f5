/** The way of a frame through the host's own stages: what they are told, where they send, and who hears of it. */
import type { Manifest } from '../../model/manifest.ts';
import type { HostOptions } from '../room.ts';
import type { ViewStore } from '../view-store.ts';
import type { Peers } from '../links/index.ts';
import { replayBudgetBytes } from '../replay/index.ts';
import type { LapRunner } from './decoding/index.ts';
import type { Caches } from './kv-cache/index.ts';
import type { HostStages } from './host-device/index.ts';
import type { Roster } from './membership/index.ts';
import { mostTogether, type Plans } from './planning/index.ts';
import type { Verification } from './verification/index.ts';

export interface HostStagesOptions {
  options: HostOptions;
  manifest: Manifest;
  contextLength: number;
  store: ViewStore;
  roster: Roster;
  peers: Peers;
  plans: Plans;
  caches: Caches;
  laps: LapRunner;
  verification: Verification;
}

export function hostStages(room: HostStagesOptions): HostStages {
  const { options, manifest, contextLength, store, peers, plans, caches, laps, verification } =
    room;
  const { host } = room.roster;
  return {
    deviceId: 'host',
    hiddenSize: manifest.config.hidden_size,
    contextLength,
    headLayer: manifest.layers.length - 1,
    wire: options.wire,
    mostTogether: () =>
      mostTogether(plans.planning.current()?.lap ?? null, plans.load.now(), options.maxBatch),
    mostSequences: () => plans.mostSequences(),
    replayBudgetBytes: () => replayBudgetBytes(host.profile?.budgetBytes ?? 0),
    send: (deviceId, header, payload) => peers.send(deviceId, header, payload),
    wireMs: (deviceId) => peers.wireMs(deviceId),
    onLapEnd: (end) => laps.onLapEnd(end),
    onPieceRead: (piece) => caches.rebuilds.onPieceRead(piece) || laps.onPieceRead(piece),
    onFailure: (failure) => verification.onStageFailed(host, failure),
    boundaryTap: verification.boundaryTap,
    onIdle: () => store.idle(),
  };
}

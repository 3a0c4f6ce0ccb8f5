/**
 * The room's entrance: devices come in by its door and are told what the room is; what each says goes from here to
 * the part of the host that it is for. Whoever is removed goes out here, and links are slowed down here on purpose.
 */
import type { LinkEmulation, RoomAddress, Signalling } from '../../transport/index.ts';
import type { HostOptions } from '../room.ts';
import type { ViewStore } from '../view-store.ts';
import { encodeBulk } from '../protocol/index.ts';
import type { Peers } from '../links/index.ts';
import {
  admitDevices,
  createDoor,
  type Door,
  type DoorRecord,
  removedSentence,
  turnAway,
} from './admission/index.ts';
import type { Caches } from './kv-cache/index.ts';
import { followLink, nameOf, type Roster } from './membership/index.ts';
import type { OpenedModel, SharedModel } from './weights/index.ts';
import type { Plans } from './planning/index.ts';
import type { StalledLaps, Verification } from './verification/index.ts';
import type { Visitors } from './requests/index.ts';

export interface EntranceOptions {
  options: HostOptions;
  model: OpenedModel;
  contextLength: number;
  signalling: Signalling;
  address: RoomAddress;
  /** Of the host's own certificate. */
  fingerprint: string;
  /** What the door of the room that was broken off remembered; null in a new one. */
  record: DoorRecord | null;
  store: ViewStore;
  roster: Roster;
  peers: Peers;
  sharedModel: SharedModel;
  caches: Caches;
  plans: Plans;
  verification: Verification;
  stalled: StalledLaps;
  visitors: Visitors;
  /** The door's record has changed. */
  onRecord: () => void;
}

export interface Entrance {
  door: Door;
  /** Out of the room, and never in again. */
  remove(deviceId: string, reason?: string): void;
  /** Resolves when the device's links have been measured anew. */
  emulate(deviceId: string, emulation: LinkEmulation | null): Promise<void>;
}

export function createEntrance(room: EntranceOptions): Entrance {
  const { options, model, store, roster, peers } = room;
  const { sharedModel, caches, plans, verification, visitors } = room;
  const { members } = roster;
  const { speeds, deployment } = plans;

  const door = createDoor({
    record: room.record ?? { mode: options.door, known: [], banned: [] },
    fingerprint: room.fingerprint,
    onView(view) {
      store.update({ door: view });
      room.onRecord();
    },
  });

  const admission = admitDevices({
    signalling: room.signalling,
    address: room.address,
    members,
    peers,
    door,
    maxDevices: options.maxDevices,
    onSuspicion: (failures) =>
      roster.notice(
        `Somebody tried ${failures} times to join with a wrong key: for a while new devices wait longer before they are let in.`,
      ),
    welcome: (deviceId) => ({
      kind: 'welcome',
      deviceId,
      model: model.address,
      weights: options.weights,
      wire: options.wire,
      maxBatch: options.maxBatch,
      contextLength: room.contextLength,
    }),
    onJoined(member) {
      member.link?.sendControl({ kind: 'asking', mode: store.view.asking });
      for (const { id, emulation } of members.values())
        if (emulation) member.link?.sendControl({ kind: 'emulate', deviceId: id, emulation });
      roster.notice(`${member.label} joined as ${member.id}.`);
      followLink(member, {
        notice: (sentence) => roster.notice(sentence),
        onShown: () => roster.show(),
      });
      roster.show();
    },
    onShown: () => roster.show(),
    onChanged: () => plans.changed(),
    onMeasured: (member, compute) => speeds.measured(member, compute),
    onVisibility(member, isHidden) {
      speeds.visibilityChanged(member, isHidden);
      roster.show();
    },
    onReady: (member, planVersion) => deployment.ready(member, planVersion),
    onUnable: (member, planVersion, reason) => deployment.unable(member, planVersion, reason),
    manifestMessage: model.manifestBytes && encodeBulk({ kind: 'manifest' }, model.manifestBytes),
    onKeepsLayer: (member, layer, sha256) => sharedModel.keeps(member.id, layer, sha256),
    onWeightsDisputed: (member, message) =>
      sharedModel.accuse(member.id, message.deviceId, message),
    onAsk: (member, question) => visitors.ask(member.id, question),
    onStop: (member, request) => visitors.stop(member.id, request),
    onRebuildReady: (member, rebuild) => caches.rebuilds.ready(member.id, rebuild),
    onReplayMissing: (member, rebuild) => caches.rebuilds.replayMissing(member.id, rebuild),
    onApart: (member, other) =>
      roster.notice(
        `${nameOf(member)} and ${nameOf(other)} find no network path to each other; nothing is passed between them. Guest networks keep devices apart, and so do some VPNs.`,
      ),
    onRefused: (member, other, fault) =>
      roster.notice(`${nameOf(member)} ended its connection to ${nameOf(other)}: ${fault}`),
    onRelayed: (member, other) =>
      roster.notice(
        `${nameOf(member)} and ${nameOf(other)} reach each other only by way of the server, which is slower: their network keeps devices apart.`,
      ),
    onFellBack: (member, sentence) => roster.notice(`${nameOf(member)}: ${sentence}`),
    onStageFailed: (member, message) => verification.onStageFailed(member, message),
    onProgress: (member, message) => room.stalled.onProgress(member.id, message),
    onProof: (member, message) => verification.onProof(member, message),
  });

  return {
    door,
    remove(deviceId, reason = removedSentence) {
      const link = members.get(deviceId)?.link;
      if (!link) return;
      door.ban(link.fingerprint);
      turnAway(link, reason);
    },
    emulate(deviceId, emulation) {
      const member = members.get(deviceId);
      if (!member) return Promise.resolve();
      member.emulation = emulation;
      peers.emulate(deviceId, emulation);
      roster.tellAll({ kind: 'emulate', deviceId, emulation });
      roster.show();
      return admission.remeasure(member);
    },
  };
}

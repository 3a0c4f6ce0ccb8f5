/**
 * The room's entrance. Devices come in by its door and are told what the room is; each of their messages then goes to the
 * part of the host that handles its kind. Whoever leaves goes out here. Links are slowed down here on purpose.
 */
import type { LinkEmulation, RoomAddress, Signalling } from '../../transport/index.ts';
import type { HostOptions } from '../room.ts';
import type { ViewStore } from '../view-store.ts';
import { encodeBulk, type Handlers, type HostMessage } from '../protocol/index.ts';
import type { Peers } from '../links/index.ts';
import {
  admitDevices,
  createLinkIntroductions,
  type Door,
  type MemberMessage,
} from './admission/index.ts';
import type { Caches } from './kv-cache/index.ts';
import {
  followLink,
  type Member,
  nameOf,
  type RoomEmitter,
  type Roster,
} from './membership/index.ts';
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
  store: ViewStore;
  /** Told who has `left`. */
  events: RoomEmitter;
  roster: Roster;
  door: Door;
  peers: Peers;
  sharedModel: SharedModel;
  plans: Plans;
  caches: Caches;
  verification: Verification;
  stalledLaps: StalledLaps;
  visitors: Visitors;
}

export interface Entrance {
  /** Every part forgets the device before it is planned anew without it. `fault` says how it broke the rules, if it did. */
  leave(deviceId: string, fault: string | null): void;
  /** Resolves when the device's links have been measured anew. */
  emulate(deviceId: string, emulation: LinkEmulation | null): Promise<void>;
}

export function createEntrance(room: EntranceOptions): Entrance {
  const { options, model, store, events, roster, door, peers, plans } = room;
  const { members } = roster;
  const introductions = createLinkIntroductions({ roster, plans });
  const handlers = {
    ...roster.handlers,
    ...introductions.handlers,
    ...plans.handlers,
    ...room.sharedModel.handlers,
    ...room.caches.handlers,
    ...room.visitors.handlers,
    ...room.verification.handlers,
    ...room.stalledLaps.handlers,
  } satisfies Handlers<MemberMessage, [from: Member]>;

  function welcome(deviceId: string): Extract<HostMessage, { kind: 'welcome' }> {
    const { weights, wire, maxBatch } = options;
    const { contextLength } = room;
    return {
      kind: 'welcome',
      deviceId,
      model: model.address,
      weights,
      wire,
      maxBatch,
      contextLength,
    };
  }

  function onJoined(member: Member): void {
    member.link?.sendControl({ kind: 'asking', mode: store.view.asking });
    for (const { id, emulation } of members.values())
      if (emulation) member.link?.sendControl({ kind: 'emulate', deviceId: id, emulation });
    roster.notice(`${member.label} joined as ${member.id}.`);
    followLink(member, {
      notice: (sentence) => roster.notice(sentence),
      onShown: () => roster.show(),
    });
    roster.show();
  }

  admitDevices({
    signalling: room.signalling,
    address: room.address,
    roster,
    peers,
    door,
    maxDevices: options.maxDevices,
    welcome,
    manifestMessage: model.manifestBytes && encodeBulk({ kind: 'manifest' }, model.manifestBytes),
    onJoined,
    handlers,
  });

  return {
    leave(deviceId, fault) {
      const member = members.get(deviceId);
      if (!member) return;
      members.delete(deviceId);
      roster.tellAll({ kind: 'left', deviceId });
      events.emit('left', member);
      const isBanned = door.isBanned(member.link?.fingerprint ?? '');
      const went = isBanned ? 'was removed' : fault === null ? 'left' : 'broke the rules';
      roster.notice(`${nameOf(member)} ${went}${fault === null ? '.' : `: ${fault}`}`);
      roster.show();
      plans.lose(deviceId, `${member.label} ${went}; its blocks move to the others.`);
    },
    emulate(deviceId, emulation) {
      const member = members.get(deviceId);
      if (!member) return Promise.resolve();
      member.emulation = emulation;
      peers.emulate(deviceId, emulation);
      roster.tellAll({ kind: 'emulate', deviceId, emulation });
      roster.show();
      return introductions.remeasure(member);
    },
  };
}

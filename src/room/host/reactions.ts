/**
 * What follows when something happens in the room: one line for each part that it concerns, in the order in which they
 * hear of it. What follows when a device says something is in the tables of handlers that `entrance.ts` joins.
 */
import type { ViewStore } from '../view-store.ts';
import type { Peers } from '../links/index.ts';
import type { Caches } from './kv-cache/index.ts';
import { devicesView, nameOf, type RoomEmitter, type Roster } from './membership/index.ts';
import type { Plans } from './planning/index.ts';
import type { Answering } from './requests/index.ts';
import type { Verification } from './verification/index.ts';
import type { SharedModel } from './weights/index.ts';

export interface ReactionsOptions {
  events: RoomEmitter;
  /** Positions before the token that a block's time is shown for. */
  position: number;
  store: ViewStore;
  roster: Roster;
  peers: Peers;
  sharedModel: SharedModel;
  plans: Plans;
  caches: Caches;
  verification: Verification;
  answering: Answering;
}

export function addReactions(room: ReactionsOptions): void {
  const { events, position, store, roster, peers, sharedModel } = room;
  const { plans, caches, verification, answering } = room;
  const { answers, visitors } = answering;

  events.on('shown', () => {
    const devices = devicesView(roster.members.values(), {
      isComputing: roster.isComputing,
      profileOf: ({ id, profile }) => profile && plans.speeds.calibrated(id, profile),
      position,
    });
    store.update({ devices });
  });
  // Every part forgets the device before it is planned anew without it.
  events.on('left', (member) => plans.left(member));
  events.on('left', (member) => verification.left(member));
  events.on('left', ({ id }) => visitors.left(id));
  events.on('left', ({ id }) => sharedModel.left(id));
  events.on('away', (member) => {
    roster.notice(`${nameOf(member)} does not answer: the room goes on without it for now.`);
    roster.show();
    plans.away(member);
  });
  events.on('back', (member, awayMs) => {
    const seconds = (awayMs / 1000).toFixed(1);
    roster.notice(`${nameOf(member)} answers again, after ${seconds} s.`);
    plans.changed();
  });
  events.on('hostReady', () => plans.changed());
  events.on('hostLost', (reason) => plans.lose('host', reason));
  events.on('layersLost', (deviceId) => caches.lost(deviceId));
  events.on('lapsKept', (laps) => caches.sequences.keepLaps(laps));
  events.on('layersMoved', () => verification.onLayersMoved());
  events.on('planChanged', () => answers.capacityChanged());
  events.on('falselyAccused', (deviceId, reason) =>
    verification.onFalseAccusation(deviceId, reason),
  );
  events.on('closed', () => {
    answers.stopAll(null, 'The room was closed.');
    peers.closeAll('The host closed the room.');
  });
}

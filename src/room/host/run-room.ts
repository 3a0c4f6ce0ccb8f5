/**
 * The host's side of an open room, put together from its parts. Each part has a file of its own; where two need each
 * other, the one that is made first reaches the other through a closure.
 */
import type { PieceCache } from '../../store/piece-cache.ts';
import type { LinkEmulation, RoomAddress, Signalling } from '../../transport/index.ts';
import type { Answer, AskRequest, HostOptions } from '../room.ts';
import type { AskingMode, DoorMode, PlanReasons } from '../view.ts';
import type { ViewStore } from '../view-store.ts';
import { createEntrance } from './entrance.ts';
import { createWatchedLaps } from './watched-laps.ts';
import { contextLengthOf } from '../memory/index.ts';
import { createPeers } from '../links/index.ts';
import { createAnswering, type TextCodec } from './requests/index.ts';
import { createLiveness, createRoster, nameOf } from './membership/index.ts';
import { createCaches } from './kv-cache/index.ts';
import { createPlans, prefillChunkOf } from './planning/index.ts';
import { createSharedModel, type OpenedModel } from './weights/index.ts';
import type { RoomRecord } from './record/index.ts';

export interface RunRoomOptions {
  options: HostOptions;
  store: ViewStore;
  /** Aborts when the room ends. */
  signal: AbortSignal;
  model: OpenedModel;
  codec: TextCodec;
  cache: PieceCache;
  signalling: Signalling;
  address: RoomAddress;
  /** Of the host's own certificate. */
  fingerprint: string;
  /** What there is to take up again. */
  record: Pick<RoomRecord, 'asked' | 'door'> | null;
  /** Something that a record of the room keeps has changed. */
  onRecord: () => void;
}

export interface RunningRoom {
  /** Tells every device that the room is over for good. */
  sayEnded(): void;
  /** The conversation and the door, for a record of the room. */
  record(): Pick<RoomRecord, 'asked' | 'door'>;
  ask(request: AskRequest): Answer;
  setAsking(mode: AskingMode): void;
  setDoor(mode: DoorMode): void;
  answerKnock(knockId: number, isAllowed: boolean): void;
  remove(deviceId: string): void;
  emulate(deviceId: string, emulation: LinkEmulation | null): Promise<void>;
  decide(answerId: number, isAllowed: boolean): void;
  stop(answerId: number): void;
  setMemoryBudget(bytes: number): void;
  explainPlan(): Promise<PlanReasons | null>;
  settled(): Promise<void>;
}

/** Plans are made for a token with so many before it: the middle of a few turns. */
const typicalPosition = 256;

export function runRoom(room: RunRoomOptions): RunningRoom {
  const { options, store, signal, model, cache, onRecord } = room;
  const { manifest } = model;
  const { config } = manifest;
  const contextLength = contextLengthOf(config, options.contextLength);
  const position = Math.min(typicalPosition, contextLength >> 1);

  const roster = createRoster({
    store,
    calibrated: (deviceId, profile) => plans.speeds.calibrated(deviceId, profile),
    position,
  });
  const peers = createPeers({
    deviceId: 'host',
    dial: (peerId) => room.signalling.dial(peerId),
    key: room.address.key,
    onFrame: (from, header, payload) => own.device?.receive(from, header, payload),
    onBulk: (from, message) => {
      if (!verification.onBulk(from, message)) sharedModel.receive(from, message);
    },
    onLost: leave,
  });
  signal.addEventListener('abort', () => {
    answering.answers.stopAll(null, 'The room was closed.');
    peers.closeAll('The host closed the room.');
  });
  const sharedModel = createSharedModel({
    model,
    cache,
    roster,
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    remove: (deviceId, reason) => entrance.remove(deviceId, reason),
    onFalseAccusation: (deviceId, reason) => verification.onFalseAccusation(deviceId, reason),
  });
  const liveness = createLiveness({
    members: roster.members,
    canDoWithout: (deviceId) => plans.canDoWithout(deviceId),
    onAway(member) {
      roster.notice(`${nameOf(member)} does not answer: the room goes on without it for now.`);
      roster.show();
      plans.away(member);
    },
    onBack(member, awayMs) {
      const seconds = (awayMs / 1000).toFixed(1);
      roster.notice(`${nameOf(member)} answers again, after ${seconds} s.`);
      plans.changed();
    },
  });
  const caches = createCaches({
    headLayer: manifest.layers.length - 1,
    capacity: () => plans.capacity(),
    chunk: (lap) => prefillChunkOf(roster.members, lap),
    own: () => own.device,
    tell: (deviceId, message) => roster.tell(deviceId, message),
    tellAll: (message) => roster.tellAll(message),
    liveness,
  });
  /** What every part below is made with. */
  const shared = { options, manifest, contextLength, store, signal, onRecord };
  const given = { ...shared, roster, caches, liveness };
  const plans = createPlans({
    ...given,
    position,
    own: () => own,
    sourcesOf: (layers, asker) => sharedModel.sourcesOf(layers, asker),
    onLayersMoved: () => verification.onLayersMoved(),
    onPlan: () => answering.answers.capacityChanged(),
  });
  const { laps, own, verification, stalled } = createWatchedLaps({
    ...given,
    cache,
    peers,
    sharedModel,
    plans,
    remove: (member, reason) => entrance.remove(member.id, reason),
  });
  const answering = createAnswering({
    ...given,
    config,
    codec: room.codec,
    plans,
    laps,
    giveBack: (logits) => own.device?.giveBack(logits),
    onInFlight: (count) => verification.onInFlight(count),
  });
  const entrance = createEntrance({
    ...given,
    model,
    signalling: room.signalling,
    address: room.address,
    fingerprint: room.fingerprint,
    record: room.record?.door ?? null,
    peers,
    sharedModel,
    plans,
    verification,
    stalled,
    visitors: answering.visitors,
  });

  /** Every part forgets the device before it is planned anew without it. */
  function leave(deviceId: string, fault: string | null): void {
    const { members } = roster;
    const member = members.get(deviceId);
    if (!member) return;
    members.delete(deviceId);
    roster.tellAll({ kind: 'left', deviceId });
    plans.left(member);
    verification.left(member);
    answering.visitors.left(deviceId);
    sharedModel.left(deviceId);
    const isBanned = entrance.door.isBanned(member.link?.fingerprint ?? '');
    const went = isBanned ? 'was removed' : fault === null ? 'left' : 'broke the rules';
    roster.notice(`${nameOf(member)} ${went}${fault === null ? '.' : `: ${fault}`}`);
    roster.show();
    plans.lose(deviceId, `${member.label} ${went}; its layers move to the others.`);
  }

  answering.answers.restore(room.record?.asked ?? []);
  roster.show();

  const { answers } = answering;
  const { door } = entrance;
  return {
    sayEnded: () => roster.tellAll({ kind: 'ended', reason: 'The host closed the room.' }),
    record: () => ({ asked: answers.record(), door: door.record }),
    ask: (request) => answering.ask(request),
    setAsking: (mode) => answering.setAsking(mode),
    setDoor: (mode) => door.setMode(mode),
    answerKnock: (knockId, isAllowed) => door.decide(knockId, isAllowed),
    remove: (deviceId) => entrance.remove(deviceId),
    emulate: (deviceId, emulation) => entrance.emulate(deviceId, emulation),
    decide: (answerId, isAllowed) => answers.decide(answerId, isAllowed),
    stop: (answerId) => answers.stop(answerId),
    explainPlan: () => plans.explain(),
    settled: () => plans.planning.settled(),
    setMemoryBudget(bytes) {
      if (roster.host.profile) roster.host.profile.budgetBytes = bytes;
      plans.changed();
    },
  };
}

/**
 * The host's side of an open room, put together from its parts. Each part is made from the parts above it. It reaches those
 * below it by events, and `reactions.ts` says what follows from each event.
 */
import type { PieceCache } from '../../store/piece-cache.ts';
import type { LinkEmulation, RoomAddress, Signalling } from '../../transport/index.ts';
import type { Answer, AskRequest, HostOptions } from '../room.ts';
import type { AskingMode, DoorMode, PlanReasons } from '../view.ts';
import type { ViewStore } from '../view-store.ts';
import { createDoor, createRemoval } from './admission/index.ts';
import { createEntrance } from './entrance.ts';
import { hostStages } from './host-stages.ts';
import { addReactions } from './reactions.ts';
import { createWatchedLaps } from './watched-laps.ts';
import { contextLengthOf } from '../memory/index.ts';
import { createPeers } from '../links/index.ts';
import { createAnswering, type TextCodec } from './requests/index.ts';
import { createHostDevice } from './host-device/index.ts';
import { createLiveness, createRoomEvents, createRoster } from './membership/index.ts';
import { createCaches } from './kv-cache/index.ts';
import { createPlans, prefillChunkOf } from './planning/index.ts';
import { createSharedModel, type OpenedModel } from './weights/index.ts';
import type { RoomRecord } from './saved-room/index.ts';

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
  /** Of the room that was broken off and goes on here; null for a new one. */
  record: Pick<RoomRecord, 'asked' | 'door'> | null;
  /** The conversation or the door has changed. */
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
  const { options, store, signal, model, cache, signalling, address, onRecord } = room;
  const { manifest } = model;
  const { config } = manifest;
  const contextLength = contextLengthOf(config, options.contextLength);
  const position = Math.min(typicalPosition, contextLength >> 1);

  const events = createRoomEvents();
  // Added before any part adds its own listener, so that answers end before what they run on.
  signal.addEventListener('abort', () => events.emit('closed'));
  const roster = createRoster({ store, events });
  const { members } = roster;
  const door = createDoor({
    record: room.record?.door ?? { mode: options.door, known: [], banned: [] },
    fingerprint: room.fingerprint,
    onView(view) {
      store.update({ door: view });
      onRecord();
    },
  });
  const removal = createRemoval(members, door);
  const peers = createPeers({
    deviceId: 'host',
    dial: (peerId) => signalling.dial(peerId),
    key: address.key,
  });
  const sharedModel = createSharedModel({
    model,
    cache,
    roster,
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    remove: (deviceId, reason) => removal.remove(deviceId, reason),
    onFalseAccusation: (deviceId, reason) => events.emit('falselyAccused', deviceId, reason),
  });
  /** What every part below is made with. */
  const given = { options, manifest, contextLength, store, signal, events, roster };
  const hostDevice = createHostDevice({ ...given, cache, sharedModel });
  const liveness = createLiveness({ members, events });
  const plans = createPlans({
    ...given,
    position,
    hostDevice,
    liveness,
    sourcesOf: (layers, asker) => sharedModel.sourcesOf(layers, asker),
  });
  liveness.goOnWhere((deviceId) => plans.canDoWithout(deviceId));
  const caches = createCaches({
    headLayer: manifest.layers.length - 1,
    capacity: () => plans.capacity(),
    chunk: (lap) => prefillChunkOf(members, lap),
    own: () => hostDevice.device,
    tell: (deviceId, message) => roster.tell(deviceId, message),
    tellAll: (message) => roster.tellAll(message),
    liveness,
  });
  const watched = createWatchedLaps({
    ...given,
    removal,
    peers,
    sharedModel,
    hostDevice,
    liveness,
    plans,
    caches,
  });
  const { laps, verification } = watched;
  const answering = createAnswering({
    ...given,
    config,
    codec: room.codec,
    plans,
    caches,
    laps,
    giveBack: (logits) => hostDevice.device?.giveBack(logits),
    onInFlight: (count) => verification.onInFlight(count),
    onRecord,
  });
  const { answers, visitors } = answering;
  const parts = { ...given, ...watched, model, door, peers, sharedModel, plans, caches };
  const entrance = createEntrance({ ...parts, signalling, address, visitors });

  addReactions({ ...parts, position, answering });
  peers.handle({
    onFrame: (from, header, payload) => hostDevice.device?.receive(from, header, payload),
    onBulk(from, message) {
      if (!verification.onBulk(from, message)) sharedModel.receive(from, message);
    },
    onLost: (deviceId, fault) => entrance.leave(deviceId, fault),
  });
  hostDevice.start(hostStages(parts));
  answers.restore(room.record?.asked ?? []);
  roster.show();

  return {
    sayEnded: () => roster.tellAll({ kind: 'ended', reason: 'The host closed the room.' }),
    record: () => ({ asked: answers.record(), door: door.record }),
    ask: (request) => answering.ask(request),
    setAsking: (mode) => answering.setAsking(mode),
    setDoor: (mode) => door.setMode(mode),
    answerKnock: (knockId, isAllowed) => door.decide(knockId, isAllowed),
    remove: (deviceId) => removal.remove(deviceId),
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

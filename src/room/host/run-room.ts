/** The host's side of an open room: members come and go, plans follow them, answers run on the plans. */
import { deviceLabel } from '../../profile/this-device.ts';
import type { PieceCache } from '../../store/piece-cache.ts';
import type { LinkEmulation, RoomAddress, Signalling } from '../../transport/index.ts';
import { rangesOf, rowsOf, type Lap } from '../lap.ts';
import { encodeBulk } from '../bulk-message.ts';
import { contextLengthOf } from '../context-length.ts';
import { keptBudgetBytes } from '../kept-states.ts';
import { createModelStore } from '../model-store.ts';
import { createPeers } from '../peers.ts';
import type { HostMessage } from '../protocol.ts';
import type { Answer, AskRequest, HostOptions } from '../room.ts';
import type { AskingMode, DoorMode, PlanReasons } from '../view.ts';
import type { ViewStore } from '../view-store.ts';
import { admitDevices } from './admission.ts';
import { createAnswers } from './answers.ts';
import { createCalibration } from './calibration.ts';
import { createCaches } from './caches.ts';
import { devicesView } from './devices-view.ts';
import { createDoor, removedSentence, turnAway } from './door.ts';
import { createLapRunner } from './lap-runner.ts';
import {
  batchesAreExact,
  brokenBecause,
  missingRows,
  mostTogether,
  overflows,
  plannedWireMs,
  prefillChunkOf,
  sequenceCapacity,
} from './lap-facts.ts';
import { createPaces } from './paces.ts';
import { followLink } from './link-health.ts';
import { createOwnDevice } from './own-device.ts';
import { newMember, type DeviceProfile, type Member } from './members.ts';
import type { OpenedModel } from './open-model.ts';
import { planReasons } from './plan-reasons.ts';
import { createPieceTracker } from './piece-tracker.ts';
import { createPlanning } from './planning.ts';
import { createRollOut } from './roll-out.ts';
import { createLoad } from './load.ts';
import type { RoomRecord } from './room-record.ts';
import { hiddenBytes } from './room-plan.ts';
import { createRoomPlanner } from './room-planner.ts';
import { createSpeculations } from './speculation.ts';
import { createTrust } from './trust.ts';
import { createTurns } from './turns.ts';
import { createVisitors } from './visitors.ts';
import type { TextCodec } from './text-codec.ts';

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
  const { options, store, signal, model } = room;
  const { manifest, address: modelAddress } = model;
  const { config } = manifest;
  const contextLength = contextLengthOf(config, options.contextLength);
  const position = Math.min(typicalPosition, contextLength >> 1);
  const host = newMember('host', deviceLabel(), null);
  const members = new Map<string, Member>([['host', host]]);
  let isComputing = false;

  const peers = createPeers({
    deviceId: 'host',
    dial: (peerId) => room.signalling.dial(peerId),
    key: room.address.key,
    onFrame: (from, header, payload) => own.device?.receive(from, header, payload),
    onBulk: (from, message) => {
      if (!trust.onBulk(from, message)) exchange.receive(from, message);
    },
    onLost(deviceId) {
      exchange.lost(deviceId);
      leave(deviceId);
    },
  });
  const { reader, exchange } = createModelStore({
    manifest,
    sha256: modelAddress.sha256,
    cache: room.cache,
    outside: model.origin,
    fetchesForOthers: modelAddress.kind === 'given' && modelAddress.baseUrl === null,
    holders: (piece) => tracker.holdersOf(piece),
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    onForged,
  });
  const tracker = createPieceTracker({ manifest, outside: model.origin, onLiar: onForged });
  signal.addEventListener('abort', () => {
    answers.stopAll(null, 'The room was closed.');
    peers.closeAll('The host closed the room.');
  });

  function showDevices(): void {
    const profileOf = ({ id, profile }: Member): DeviceProfile | null =>
      profile && calibration.calibrated(id, profile);
    store.update({ devices: devicesView(members.values(), { isComputing, profileOf, position }) });
  }

  function changed(): void {
    showDevices();
    planning.changed();
  }

  function tell(message: HostMessage): void {
    for (const { link } of members.values()) link?.sendControl(message);
  }

  function leave(deviceId: string): void {
    const member = members.get(deviceId);
    if (!member) return;
    members.delete(deviceId);
    calibration.forget(deviceId);
    paces.left(deviceId);
    tell({ kind: 'left', deviceId });
    rollOut.left(member);
    trust.left(member);
    visitors.left(deviceId);
    tracker.left(deviceId);
    const went = door.isBanned(member.link?.fingerprint ?? '') ? 'was removed' : 'left';
    store.notice(`${member.label} (${deviceId}) ${went}.`);
    showDevices();
    lose(deviceId, `${member.label} ${went}; its layers move to the others.`);
  }

  /** Nothing that this device held can be reckoned with any more. */
  function lose(deviceId: string, reason: string): void {
    caches.lost(deviceId);
    planning.lose(deviceId, reason);
  }

  function exclude(member: Member, reason: string): void {
    member.excluded = reason;
    member.status = { kind: 'failed', reason };
    store.notice(`${member.label} (${member.id}) gets no layers any more: ${reason}`);
    showDevices();
    lose(member.id, `${member.label} failed; its layers move to the others.`);
  }

  function onForged(deviceId: string): void {
    tracker.left(deviceId);
    const member = members.get(deviceId);
    if (!member) return;
    store.notice(
      `${member.label} (${deviceId}) gave bytes that are not the model's, and was removed.`,
    );
    member.link?.close('It gave bytes that are not the model’s.');
  }

  const rollOut = createRollOut({
    members,
    sourcesOf: (lap, deviceId) =>
      tracker.sourcesOf(missingRows(members.get(deviceId), lap, deviceId), deviceId),
    prepareHost: (lap, dropFirst) => own.prepare(lap, dropFirst),
    exclude,
  });

  const planner = createRoomPlanner({
    host,
    members,
    manifest,
    contextLength,
    position,
    room: options,
    calibrated: (member) => ({
      ...member,
      profile: calibration.calibrated(member.id, member.profile),
    }),
    inFlight: () => load.answers(),
    hasEverRun: () => rollOut.hasEverRun,
    signal,
    onBetter: () => planning.changed(),
    onWarm(deviceId, warm) {
      if (deviceId === 'host') void own.keepWarm(warm.rows);
      else members.get(deviceId)?.link?.sendControl({ kind: 'keep-warm', ...warm });
    },
  });
  const planning = createPlanning({
    propose: () => planner.propose(),
    isWorthwhile: (proposal, running) => planner.isWorthwhile(proposal, running),
    repriced: (running) => planner.repriced(running),
    brokenBecause: (lap) => brokenBecause(members, lap),
    overflows: (lap) => overflows(members, lap),
    rollOut(lap, plan, dropFirst) {
      // Rows that are dropped first are gone even if the rest of the roll-out fails.
      if (dropFirst) caches.sequences.keepLaps([lap]);
      return rollOut.run(lap, plan, dropFirst);
    },
    onLaps: keepLaps,
    onView(plan, waitingFor) {
      store.update({ plan, waitingFor });
      answers.capacityChanged();
    },
  });
  const load = createLoad(() => planning.changed());
  const calibration = createCalibration({
    member: (deviceId) => members.get(deviceId),
    headRow: manifest.rows.length - 1,
    wireMs: (from, to) => plannedWireMs(members, from, to, hiddenBytes(config, options.wire)),
    onDrift() {
      planning.reprice();
      showDevices();
    },
    onDeparture() {
      // First what the running plan costs now: answers on it leave for a better one by that.
      planning.reprice();
      paces.look();
      planning.changed();
    },
  });
  const paces = createPaces({
    members,
    calibrated: (deviceId, profile) => calibration.calibrated(deviceId, profile),
    measureAgain: ({ link }) => link?.sendControl({ kind: 'measure-again' }),
    onNotice: (sentence) => store.notice(sentence),
    onMeasured({ id }) {
      calibration.forget(id);
      changed();
    },
    signal,
  });

  function keepLaps(laps: Lap[]): void {
    const epochs = laps.map(({ epoch }) => epoch);
    caches.sequences.keepLaps(laps);
    for (const member of members.values()) {
      const rows = laps.flatMap((lap) => rowsOf(lap, member.id));
      member.rows = rangesOf([...new Set(rows)].sort((a, b) => a - b));
      member.link?.sendControl({ kind: 'keep-laps', epochs });
    }
    void own.keepLaps(new Set(epochs));
    trust.onRowsMoved();
    showDevices();
    planner.runs(laps[laps.length - 1]);
  }

  function capacity(): number {
    const lap = planning.current()?.lap;
    const most = lap ? sequenceCapacity(members, lap, manifest, contextLength) : 1;
    return Math.min(most, options.maxInFlight ?? most);
  }

  const trust = createTrust({
    members,
    manifest,
    wire: options.wire,
    own: () => own,
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    keepsRow: (deviceId, row) =>
      tracker.sourcesOf([row], '').some(({ devices }) => devices.includes(deviceId)),
    announce(sentence) {
      store.notice(sentence);
      tell({ kind: 'notice', text: sentence });
    },
    lose(member, reason) {
      caches.lost(member.id);
      showDevices();
      planning.lose(member.id, reason);
    },
    distrustCaches() {
      for (const id of members.keys()) caches.lost(id);
    },
    regain: changed,
    remove: (member, reason) => remove(member.id, reason),
  });
  const laps = trust.watching(
    createLapRunner({
      start: (epoch, start) => own.device?.start(epoch, start),
      onLoneToken: (lap) => calibration.observe(lap),
    }),
  );
  const caches = createCaches({
    headRow: manifest.rows.length - 1,
    capacity,
    chunk: (lap) => prefillChunkOf(members, lap),
    own: () => own.device,
    tell: (deviceId, message) => members.get(deviceId)?.link?.sendControl(message),
    tellAll: tell,
  });
  const speculationOn = createSpeculations();
  const answers = createAnswers({
    planning,
    laps,
    ...caches,
    inFlight: () => load.now(),
    turns: createTurns(options.pipeline),
    speculation: ({ lap }) =>
      options.speculation && batchesAreExact(members, lap) ? speculationOn(lap.epoch) : null,
    tokenizer: room.codec.tokenizer,
    encodePrompt: (text) => room.codec.encodePrompt(text),
    stopIds: room.codec.stopIds,
    contextLength,
    vocabularySize: config.vocab_size,
    prefillChunk: ({ lap }) => options.prefillChunk ?? prefillChunkOf(members, lap),
    capacity,
    onView(views) {
      store.update({ answers: views });
      room.onRecord();
    },
    onInFlight(count) {
      load.set(count);
      trust.onInFlight(count);
      isComputing = count > 0;
      showDevices();
    },
  });

  const visitors = createVisitors({
    answers,
    mode: () => store.view.asking,
    tell(deviceId, message) {
      // A page that goes may come back: whoever asked waits, and asks again.
      if (!signal.aborted) members.get(deviceId)?.link?.sendControl(message);
    },
  });

  function emulate(deviceId: string, emulation: LinkEmulation | null): Promise<void> {
    const member = members.get(deviceId);
    if (!member) return Promise.resolve();
    member.emulation = emulation;
    peers.emulate(deviceId, emulation);
    tell({ kind: 'emulate', deviceId, emulation });
    showDevices();
    return admission.remeasure(member);
  }

  const door = createDoor({
    record: room.record?.door ?? { mode: options.door, known: [], banned: [] },
    fingerprint: room.fingerprint,
    onView(view) {
      store.update({ door: view });
      room.onRecord();
    },
  });

  function remove(deviceId: string, reason = removedSentence): void {
    const link = members.get(deviceId)?.link;
    if (!link) return;
    door.ban(link.fingerprint);
    turnAway(link, reason);
  }

  function setAsking(mode: AskingMode): void {
    store.update({ asking: mode });
    tell({ kind: 'asking', mode });
  }

  const own = createOwnDevice({
    host,
    room: options,
    model: { config, contextLength, weights: options.weights },
    manifest,
    stage: {
      deviceId: 'host',
      hiddenSize: config.hidden_size,
      contextLength,
      headRow: manifest.rows.length - 1,
      wire: options.wire,
      mostTogether: () =>
        mostTogether(planning.current()?.lap ?? null, load.now(), options.maxBatch),
      send: (deviceId, header, payload) => peers.send(deviceId, header, payload),
      wireMs: (deviceId) => peers.wireMs(deviceId),
      onLapEnd: (end) => laps.onLapEnd(end),
      onPieceRead: (piece) => caches.refills.onPieceRead(piece) || laps.onPieceRead(piece),
      keptBudgetBytes: () => keptBudgetBytes(host.profile?.budgetBytes ?? 0),
      onFailure(failure) {
        laps.onFailure(failure);
        if (failure.blames !== null) trust.onBadFrame(failure.blames, failure.reason);
      },
      witness: trust.witness,
    },
    cache: room.cache,
    reader,
    signal,
    onShown: showDevices,
    onReady() {
      if (room.cache.problem !== null) store.notice(room.cache.problem);
      changed();
    },
    onLost(reason) {
      caches.lost('host');
      planning.lose('host', reason);
    },
    onFailed: (sentence) => store.update({ waitingFor: { kind: 'failure', sentence } }),
    onFellBack: (sentence) => store.notice(sentence),
    onKeepsRow: (row) => tracker.keeps('host', row, reader.foundHashes(row)),
  });

  const admission = admitDevices({
    signalling: room.signalling,
    address: room.address,
    members,
    peers,
    door,
    maxDevices: options.maxDevices,
    onSuspicion: (failures) =>
      store.notice(
        `Somebody tried ${failures} times to join with a wrong key: for a while new devices wait longer before they are let in.`,
      ),
    welcome: (deviceId) => ({
      kind: 'welcome',
      deviceId,
      model: modelAddress,
      weights: options.weights,
      wire: options.wire,
      maxBatch: options.maxBatch,
      contextLength,
    }),
    onJoined(member) {
      member.link?.sendControl({ kind: 'asking', mode: store.view.asking });
      for (const { id, emulation } of members.values())
        if (emulation) member.link?.sendControl({ kind: 'emulate', deviceId: id, emulation });
      store.notice(`${member.label} joined as ${member.id}.`);
      followLink(member, { notice: (sentence) => store.notice(sentence), onShown: showDevices });
      showDevices();
    },
    onShown: showDevices,
    onChanged: changed,
    onMeasured: (member, compute) => paces.measured(member, compute),
    onSight(member, isHidden) {
      paces.sight(member, isHidden);
      showDevices();
    },
    onReady: (member, epoch) => rollOut.ready(member, epoch),
    onUnable: (member, epoch, reason) => rollOut.unable(member, epoch, reason),
    manifestMessage: model.manifestBytes && encodeBulk({ kind: 'manifest' }, model.manifestBytes),
    onKeepsRow: (member, row, sha256) => tracker.keeps(member.id, row, sha256),
    onForged: (_member, deviceId) => onForged(deviceId),
    onAsk: (member, question) => visitors.ask(member.id, question),
    onStop: (member, request) => visitors.stop(member.id, request),
    onRefillReady: (member, refill) => caches.refills.ready(member.id, refill),
    onNotKept: (member, refill) => caches.refills.notKept(member.id, refill),
    onApart: (member, other) =>
      store.notice(
        `${member.label} (${member.id}) and ${other.label} (${other.id}) find no network path to each other; nothing is passed between them. Guest networks keep devices apart, and so do some VPNs.`,
      ),
    onRelayed: (member, other) =>
      store.notice(
        `${member.label} (${member.id}) and ${other.label} (${other.id}) reach each other only by way of the server, which is slower: their network keeps devices apart.`,
      ),
    onFellBack: (member, sentence) => store.notice(`${member.label} (${member.id}): ${sentence}`),
    onStageFailed: (member, message) => trust.onStageFailed(member, message),
    onProof: (member, message) => trust.onProof(member, message),
  });

  answers.restore(room.record?.asked ?? []);
  showDevices();

  return {
    sayEnded: () => tell({ kind: 'ended', reason: 'The host closed the room.' }),
    record: () => ({ asked: answers.record(), door: door.record }),
    ask: (request) =>
      answers.ask(request, { id: 'host', needsApproval: false, onAnswer: () => undefined }),
    setAsking,
    setDoor: (mode) => door.setMode(mode),
    answerKnock: (knockId, isAllowed) => door.decide(knockId, isAllowed),
    remove,
    emulate,
    decide: (answerId, isAllowed) => answers.decide(answerId, isAllowed),
    stop: (answerId) => answers.stop(answerId),
    async explainPlan() {
      const running = planning.current();
      return running && planReasons(planner.input(), running.lap.stages);
    },
    settled: () => planning.settled(),
    setMemoryBudget(bytes) {
      if (host.profile) host.profile.budgetBytes = bytes;
      changed();
    },
  };
}

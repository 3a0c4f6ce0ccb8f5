/** The host's side of an open room: members come and go, plans follow them, answers run on the plans. */
import { deviceLabel } from '../../profile/this-device.ts';
import type { PieceCache } from '../../store/piece-cache.ts';
import type { LinkEmulation, RoomAddress, Signalling } from '../../transport/index.ts';
import { createComputingDevice, type ComputingDevice } from '../computing-device.ts';
import { devicesOf, hopsOf, rangesOf, rowsOf, type Lap } from '../lap.ts';
import { encodeBulk } from '../bulk-message.ts';
import { createModelStore } from '../model-store.ts';
import { createPeers } from '../peers.ts';
import { prepareEngine } from '../prepare-engine.ts';
import type { HostMessage } from '../protocol.ts';
import type { Answer, AskRequest, HostOptions } from '../room.ts';
import { createShardHolder } from '../shard-holder.ts';
import type { AskingMode, WaitingFor } from '../view.ts';
import type { ViewStore } from '../view-store.ts';
import { admitDevices } from './admission.ts';
import { createAnswers } from './answers.ts';
import { devicesView } from './devices-view.ts';
import { createLapRunner } from './lap-runner.ts';
import { linkBetween, measuredMembers, newMember, type Member } from './members.ts';
import type { OpenedModel } from './open-model.ts';
import { createPieceTracker } from './piece-tracker.ts';
import { createPlanning, type RunningLap } from './planning.ts';
import { createRollOut } from './roll-out.ts';
import { createLoad } from './load.ts';
import type { AskedRecord } from './room-record.ts';
import {
  type RoomPlanInput,
  planRoom,
  repriced,
  sequencesThatFit,
  tokensPerMs,
} from './room-plan.ts';
import { createSequences } from './sequences.ts';
import { createSpeculation } from './speculation.ts';
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
  /** A conversation to take up again. */
  conversation: readonly AskedRecord[];
  /** Something was asked or answered. */
  onConversation: () => void;
}

export interface RunningRoom {
  /** Tells every device that the room is over for good. */
  sayEnded(): void;
  /** The conversation, for a record of the room. */
  asked(): AskedRecord[];
  ask(request: AskRequest): Answer;
  setAsking(mode: AskingMode): void;
  emulate(deviceId: string, emulation: LinkEmulation | null): void;
  decide(answerId: number, isAllowed: boolean): void;
  stop(answerId: number): void;
  setMemoryBudget(bytes: number): void;
  settled(): Promise<void>;
}

/** A device that joins should be worth a reshuffle of shards. */
const worthwhileGain = 0.03;

/** More answers in flight than this only wait for each other. */
const maxSequences = 16;

/** An engine that is lost again this soon will be lost again. */
const tooSoonMs = 60_000;

export function runRoom(room: RunRoomOptions): RunningRoom {
  const { options, store, signal, model } = room;
  const { manifest, address: modelAddress } = model;
  const { config } = manifest;
  const contextLength = config.max_position_embeddings;
  const host = newMember('host', deviceLabel(), null);
  const members = new Map<string, Member>([['host', host]]);
  let device: ComputingDevice | null = null;
  let isComputing = false;
  let lastRecoveryMs = -Infinity;

  const peers = createPeers({
    deviceId: 'host',
    dial: (peerId) => room.signalling.dial(peerId),
    key: room.address.key,
    onFrame: (from, header, payload) => device?.receive(from, header, payload),
    onBulk: (from, message) => exchange.receive(from, message),
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
    void device?.dispose();
  });

  function showDevices(): void {
    store.update({ devices: devicesView(members.values(), isComputing) });
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
    tell({ kind: 'left', deviceId });
    rollOut.left(member);
    visitors.left(deviceId);
    tracker.left(deviceId);
    store.notice(`${member.label} (${deviceId}) left.`);
    showDevices();
    planning.lose(deviceId, `${member.label} left; its layers move to the others.`);
  }

  function exclude(member: Member, reason: string): void {
    member.excluded = reason;
    member.status = { kind: 'failed', reason };
    store.notice(`${member.label} (${member.id}) gets no layers any more: ${reason}`);
    showDevices();
    planning.lose(member.id, `${member.label} failed; its layers move to the others.`);
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
    sourcesOf(lap, deviceId) {
      const held = new Set(
        members.get(deviceId)?.rows.flatMap(({ first, last }) => span(first, last)),
      );
      const missing = rowsOf(lap, deviceId).filter((row) => !held.has(row));
      return tracker.sourcesOf(missing, deviceId);
    },
    prepareHost: async (lap, dropFirst) => {
      if (!device) throw new Error('The host is not ready to compute.');
      await device.prepare(lap, dropFirst, (bytesLoaded, bytesTotal) => {
        host.status = { kind: 'loading', bytesLoaded, bytesTotal };
        host.bytesLoaded = reader.rowBytesFetched;
        showDevices();
      });
      host.usedBytes = device.usedBytes;
      host.bytesLoaded = reader.rowBytesFetched;
      host.status = { kind: 'ready' };
      showDevices();
    },
    exclude,
  });

  function planInput(): RoomPlanInput {
    const { wire, plan: choice } = options;
    const measured = measuredMembers(members.values());
    const inFlight = load.answers();
    return { manifest, contextLength, wire, choice, members: measured, inFlight };
  }

  const planning = createPlanning({
    propose() {
      if (!host.profile) return { waitingFor: gettingReady };
      const input = planInput();
      const missing = options.expectedDevices - input.members.length;
      if (missing > 0 && !rollOut.hasEverRun) return { waitingFor: waitingForDevices(missing) };
      return planRoom(input);
    },
    isWorthwhile(proposal, running) {
      if (options.plan !== 'auto') return true;
      const input = planInput();
      const now = repriced(input, running);
      if (!now) return true;
      const gain = tokensPerMs(proposal, input.inFlight) / tokensPerMs(now, input.inFlight);
      return gain > 1 + worthwhileGain;
    },
    brokenBecause,
    overflows: (lap) => [...members.values()].some((member) => overflows(member, lap)),
    rollOut: (lap, plan, dropFirst) => rollOut.run(lap, plan, dropFirst),
    onLaps: keepLaps,
    onView(plan, waitingFor) {
      store.update({ plan, waitingFor });
      answers.capacityChanged();
    },
  });
  const load = createLoad(() => planning.changed());

  function brokenBecause(lap: Lap): string | null {
    for (const { from, to } of hopsOf(lap)) {
      const [sender, receiver] = [members.get(from), members.get(to)];
      if (sender && receiver && linkBetween(sender, receiver) === null)
        return `${sender.label} and ${receiver.label} lost each other; their layers are dealt anew.`;
    }
    return null;
  }

  /** Whether what the member holds and what the lap gives it are together more than it may hold. */
  function overflows(member: Member, lap: Lap): boolean {
    if (!member.profile) return false;
    const { compute, budgetBytes } = member.profile;
    const held = new Set(member.rows.flatMap(({ first, last }) => span(first, last)));
    const added = rowsOf(lap, member.id).filter((row) => !held.has(row)).length;
    return added > 0 && member.usedBytes + added * compute.layerBytes > budgetBytes;
  }

  function keepLaps(laps: Lap[]): void {
    const epochs = laps.map(({ epoch }) => epoch);
    sequences.keepLaps(new Set(epochs));
    for (const member of members.values()) {
      const rows = laps.flatMap((lap) => rowsOf(lap, member.id));
      member.rows = rangesOf([...new Set(rows)].sort((a, b) => a - b));
      member.link?.sendControl({ kind: 'keep-laps', epochs });
    }
    void device?.keepLaps(new Set(epochs)).then(() => {
      host.usedBytes = device?.usedBytes ?? 0;
      showDevices();
    });
    showDevices();
  }

  /** How many sequences' caches fit beside the weights that the newest lap gives each device. */
  function capacity(): number {
    const lap = planning.current()?.lap;
    if (!lap) return 1;
    const fitting = [...devicesOf(lap)].map((id) => {
      const member = members.get(id);
      return member ? sequencesThatFit(member, rowsOf(lap, id), manifest, contextLength) : 1;
    });
    const most = Math.min(...fitting, maxSequences);
    return Math.max(1, Math.min(most, options.maxInFlight ?? most));
  }

  const laps = createLapRunner((epoch, start) => device?.start(epoch, start));
  const sequences = createSequences({
    capacity,
    release(sequence) {
      device?.release(sequence);
      tell({ kind: 'release', sequence });
    },
    fork: (epoch, fork) => device?.fork(epoch, fork),
  });
  const speculation = createSpeculation();
  const answers = createAnswers({
    planning,
    laps,
    sequences,
    turns: createTurns(options.pipeline),
    speculation: (running) => (draftsAreExact(running) ? speculation : null),
    tokenizer: room.codec.tokenizer,
    encodePrompt: (text) => room.codec.encodePrompt(text),
    stopIds: room.codec.stopIds,
    contextLength,
    vocabularySize: config.vocab_size,
    prefillChunk: (running) => options.prefillChunk ?? prefillChunkOf(running),
    capacity,
    onView(views) {
      store.update({ answers: views });
      room.onConversation();
    },
    onInFlight(count) {
      load.set(count);
      isComputing = count > 0;
      showDevices();
    },
  });

  const visitors = createVisitors({
    answers,
    mode: () => store.view.asking,
    tell: (deviceId, message) => members.get(deviceId)?.link?.sendControl(message),
  });

  function emulate(deviceId: string, emulation: LinkEmulation | null): void {
    const member = members.get(deviceId);
    if (!member) return;
    member.emulation = emulation;
    peers.emulate(deviceId, emulation);
    tell({ kind: 'emulate', deviceId, emulation });
    showDevices();
    admission.remeasure(member);
  }

  function setAsking(mode: AskingMode): void {
    store.update({ asking: mode });
    tell({ kind: 'asking', mode });
  }

  /** Int8 arithmetic on wasm scales by what shares the run: several positions together would differ. */
  function draftsAreExact({ lap }: RunningLap): boolean {
    if (!options.speculation) return false;
    return [...devicesOf(lap)].every((id) => {
      const compute = members.get(id)?.profile?.compute;
      return compute !== undefined && !(compute.backend === 'wasm' && compute.weights === 'q8');
    });
  }

  /** The largest chunk that every device of the lap has measured to be right. */
  function prefillChunkOf({ lap }: RunningLap): number {
    const chunks = [...devicesOf(lap)].map(
      (id) => members.get(id)?.profile?.compute.prefillChunk ?? 1,
    );
    return Math.min(...chunks);
  }

  function keeps(row: number): void {
    tracker.keeps('host', row, reader.foundHashes(row));
  }

  /** The host's GPU was lost or its worker ended: another engine takes over, unless that fails too soon. */
  function recover(reason: string): void {
    const nowMs = performance.now();
    const isAgain = nowMs - lastRecoveryMs < tooSoonMs;
    lastRecoveryMs = nowMs;
    device?.stop();
    device = null;
    host.profile = null;
    host.rows = [];
    planning.lose('host', `This device lost its means to compute: ${reason}`);
    if (isAgain) hostFailed(`it was lost twice in a short time: ${reason}`);
    else prepareHost().catch(hostFailed);
  }

  function hostFailed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    host.status = { kind: 'failed', reason };
    showDevices();
    const sentence = `This device cannot compute: ${reason}`;
    store.update({ waitingFor: { kind: 'failure', sentence } });
  }

  async function prepareHost(): Promise<void> {
    const prepared = await prepareEngine(
      options,
      { config, contextLength, weights: options.weights },
      room.cache,
      (status) => {
        host.status = status;
        showDevices();
      },
      (reason) => recover(reason),
    );
    const { engine, compute, callMs, budgetBytes } = prepared;
    if (signal.aborted) return engine.dispose();
    device = createComputingDevice(
      prepared,
      createShardHolder(engine, reader, compute.weights, keeps),
      {
        deviceId: 'host',
        hiddenSize: config.hidden_size,
        contextLength,
        headRow: manifest.rows.length - 1,
        wire: options.wire,
        send: (deviceId, header, payload) => peers.send(deviceId, header, payload),
        wireMs: (deviceId) => peers.wireMs(deviceId),
        onLapEnd: (end) => laps.onLapEnd(end),
        onPieceRead: (piece) => laps.onPieceRead(piece),
        onFailure: (failure) => laps.onFailure(failure),
        onBusy: () => undefined,
      },
    );
    host.profile = { compute, callMs, adapter: engine.info.adapter, budgetBytes };
    host.status = { kind: 'spare' };
    if (room.cache.problem !== null) store.notice(room.cache.problem);
    changed();
  }

  const admission = admitDevices({
    signalling: room.signalling,
    address: room.address,
    members,
    peers,
    maxDevices: options.maxDevices,
    welcome: (deviceId) => ({
      kind: 'welcome',
      deviceId,
      model: modelAddress,
      weights: options.weights,
      wire: options.wire,
      contextLength,
    }),
    onJoined(member) {
      member.link?.sendControl({ kind: 'asking', mode: store.view.asking });
      for (const { id, emulation } of members.values())
        if (emulation) member.link?.sendControl({ kind: 'emulate', deviceId: id, emulation });
      store.notice(`${member.label} joined as ${member.id}.`);
      showDevices();
    },
    onShown: showDevices,
    onChanged: changed,
    onReady: (member, epoch) => rollOut.ready(member, epoch),
    onUnable: (member, epoch, reason) => rollOut.unable(member, epoch, reason),
    manifestMessage: model.manifestBytes && encodeBulk({ kind: 'manifest' }, model.manifestBytes),
    onKeepsRow: (member, row, sha256) => tracker.keeps(member.id, row, sha256),
    onForged: (_member, deviceId) => onForged(deviceId),
    onAsk: (member, question) => visitors.ask(member.id, question),
    onStop: (member, request) => visitors.stop(member.id, request),
    onStageFailed: (member, _sequence, reason) => exclude(member, reason),
  });

  prepareHost().catch(hostFailed);
  answers.restore(room.conversation);
  showDevices();

  return {
    sayEnded: () => tell({ kind: 'ended', reason: 'The host closed the room.' }),
    asked: () => answers.record(),
    ask: (request) =>
      answers.ask(request, { id: 'host', needsApproval: false, onAnswer: () => undefined }),
    setAsking,
    emulate,
    decide: (answerId, isAllowed) => answers.decide(answerId, isAllowed),
    stop: (answerId) => answers.stop(answerId),
    settled: () => planning.settled(),
    setMemoryBudget(bytes) {
      if (host.profile) host.profile.budgetBytes = bytes;
      changed();
    },
  };
}

const gettingReady: WaitingFor = { kind: 'preparing', sentence: 'This device is getting ready.' };

function waitingForDevices(missing: number): WaitingFor {
  const devices = missing === 1 ? 'device' : 'devices';
  return { kind: 'devices', sentence: `Waiting for ${missing} more ${devices}.` };
}

function span(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

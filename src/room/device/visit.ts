/** One visit to a room: from dialling the host to the end of that connection. */
import { errorMessage } from '../../base/error-message.ts';
import type { ComputeProfile } from '../../engine/engine.ts';
import { deviceLabel } from '../../profile/this-device.ts';
import { openPieceCache } from '../../store/piece-cache.ts';
import {
  createSignalling,
  keepIdentity,
  LinkError,
  openLink,
  pairCode,
  type Link,
  type RoomAddress,
  type Signalling,
} from '../../transport/index.ts';
import { modelView } from '../model-view.ts';
import { onAbort } from '../../base/on-abort.ts';
import type { DeviceOptions } from '../room.ts';
import type { ViewStore } from '../view-store.ts';
import type { KeptEngine } from './kept-engine.ts';
import type { OwnQuestions } from './own-questions.ts';
import { createOwnView } from './own-view.ts';
import { findRoomModel } from './room-model.ts';
import { createModelStore } from '../pieces/index.ts';
import { createPeers, relayServers } from '../links/index.ts';
import { createSelfProof, createShardHolder, prepareEngine, saferThan } from '../compute/index.ts';
import { type DeviceMessage, type HostMessage, roomProtocolVersion } from '../protocol/index.ts';
import {
  createLayerSources,
  createStatusReporter,
  type DevicePart,
  type Inbox,
  openInbox,
  takePart,
} from './part/index.ts';

export interface VisitOptions {
  address: RoomAddress;
  /** Read anew when a visit begins. */
  device: () => DeviceOptions;
  store: ViewStore;
  engine: KeptEngine;
  questions: OwnQuestions;
  /** Aborts when the person leaves. */
  signal: AbortSignal;
  /** The host was asked to let this device in, so it was heard of. */
  onKnocking: () => void;
  /** The device is in the room: from here on its part can be spoken to. */
  onPart: (part: DevicePart | null) => void;
}

/** How a visit ended: for good, or in a way that another visit may mend. */
export interface VisitEnd {
  isFinal: boolean;
  /** A sentence for the screen. */
  reason: string;
}

/** Resolves when the visit is over; never rejects. */
export async function visit(options: VisitOptions): Promise<VisitEnd> {
  const over = new AbortController();
  const leave = (): void => over.abort({ isFinal: true, reason: 'You left the room.' });
  options.signal.addEventListener('abort', leave);
  if (options.signal.aborted) leave();
  try {
    return await new Promise<VisitEnd>((resolve) => {
      const end = (how: VisitEnd): void => {
        resolve(how);
        over.abort(how);
      };
      over.signal.addEventListener('abort', () => resolve(over.signal.reason as VisitEnd));
      begin(options, over.signal, end).catch((error: unknown) => end(endOf(error)));
    });
  } finally {
    options.signal.removeEventListener('abort', leave);
    options.onPart(null);
    over.abort();
  }
}

/** Refusals are final; a network that fails, or a host that is not there, may come back. */
function endOf(error: unknown): VisitEnd {
  const reason = errorMessage(error);
  const isPassing =
    error instanceof LinkError &&
    ['signalling-failed', 'peer-unavailable', 'no-path', 'timeout', 'closed'].includes(error.code);
  return { isFinal: !isPassing, reason };
}

async function begin(
  options: VisitOptions,
  signal: AbortSignal,
  end: (how: VisitEnd) => void,
): Promise<void> {
  const { address, store } = options;
  const identity = await keepIdentity(address.hostId);
  const signalling = await createSignalling({
    identity,
    ...(address.signallingUrl !== undefined && { url: address.signallingUrl }),
    iceServers: [...(address.iceServers ?? []), ...(await relayServers())],
    relayOnly: options.device().relayOnly,
  });
  onAbort(signal, () => signalling.close());
  const connection = await signalling.dial(address.hostId);
  const proving = new AbortController();
  signal.addEventListener('abort', () => connection.close(), { signal: proving.signal });
  store.update({ phase: { kind: 'starting', step: 'Proving the invitation' } });
  const host = await openLink(connection, {
    peerId: address.hostId,
    key: address.key,
    version: roomProtocolVersion,
  });
  // From here on the connection is the link's, which says goodbye before it ends it.
  proving.abort();
  onAbort(signal, () => host.close('left the room'));
  host.onClosed((reason, cause) => end({ isFinal: cause === 'misbehaved', reason }));
  host.sendControl({ kind: 'hello', label: deviceLabel() });
  const inbox = openInbox(host, (reason) => end({ isFinal: true, reason }));
  let answer = await inbox.next();
  if (answer.kind === 'knocking') {
    options.onKnocking();
    const code = await pairCode(host.fingerprint, identity.fingerprint);
    store.update({ phase: { kind: 'knocking', code } });
    answer = await inbox.next();
  }
  if (answer.kind !== 'welcome') throw new Error('The host did not say which model it runs.');
  await becomeDevice(options, signal, end, { host, signalling, inbox, welcome: answer });
}

interface Welcomed {
  host: Link;
  signalling: Signalling;
  inbox: Inbox;
  welcome: Extract<HostMessage, { kind: 'welcome' }>;
}

async function becomeDevice(
  options: VisitOptions,
  signal: AbortSignal,
  end: (how: VisitEnd) => void,
  { host, signalling, inbox, welcome }: Welcomed,
): Promise<void> {
  const { address, store, questions } = options;
  const fail = (reason: string): void => end({ isFinal: true, reason });
  /** Work that was under way when the visit ended has nobody to report to. */
  const tell = (message: DeviceMessage): void => {
    if (!signal.aborted) host.sendControl(message);
  };
  const { manifest, sha256, outside } = await findRoomModel(welcome.model, host);
  const cache = openPieceCache();
  const sources = createLayerSources(manifest);
  let part: DevicePart | null = null;
  const peers = createPeers({
    deviceId: welcome.deviceId,
    dial: (peerId) => signalling.dial(peerId),
    key: address.key,
  });
  const { reader, exchange } = createModelStore({
    manifest,
    sha256,
    cache,
    outside,
    fetchesForOthers: false,
    holders: (piece) => sources.of(piece),
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    onHashMismatch: (deviceId, { file, offset, bytes }) =>
      tell({ kind: 'weights-disputed', deviceId, file, offset, bytes }),
  });
  peers.handle({
    onFrame: (from, header, payload) => part?.receive(from, header, payload),
    onBulk: (from, message) => {
      if (!part?.onBulk(from, message)) exchange.receive(from, message);
    },
    onLost(deviceId, fault) {
      exchange.lost(deviceId);
      part?.lostPeer(deviceId, fault);
    },
  });
  peers.add('host', host);
  signalling.onDial((connection, peerId) => peers.dialled(connection, peerId));
  onAbort(signal, () => peers.closeAll('left the room'));

  const called = { id: welcome.deviceId, label: deviceLabel() };
  const own = createOwnView(called, host, (device) => store.update({ devices: [device] }));
  const { show } = own;
  const figures = (): { usedBytes: number; bytesLoaded: number } => ({
    usedBytes: part?.usedBytes ?? 0,
    bytesLoaded: reader.layerBytesFetched,
  });
  const reporter = createStatusReporter(
    (status) => {
      const { usedBytes, bytesLoaded } = figures();
      show({ status, bytesLoaded, memory: { ...own.now.memory, usedBytes } });
    },
    (status) => tell({ kind: 'status', status, ...figures() }),
  );
  store.update({ phase: { kind: 'open' }, model: modelView(manifest), plan: null });

  const { contextLength } = welcome;
  const { fallback } = options.engine;
  const { weights: wantedWeights } = fallback?.with ?? welcome;
  const device = { ...options.device(), ...(fallback && { backend: fallback.with.backend }) };
  const prepared = await options.engine.take(
    `${sha256} ${contextLength} ${wantedWeights}`,
    (reason) => end({ isFinal: false, reason: `This device lost its means to compute: ${reason}` }),
    (onLost) =>
      prepareEngine(
        device,
        { config: manifest.config, contextLength, weights: wantedWeights },
        cache,
        (status) => reporter.set(status),
        onLost,
      ),
  );
  signal.throwIfAborted();
  if (cache.problem !== null) store.notice(cache.problem);
  if (host.stats.relayed === true) store.notice(relayedNotice);
  const { compute, callMs, engine } = prepared;
  const budgetBytes = device.memoryBudgetBytes ?? prepared.budgetBytes;
  const { adapter } = engine.info;
  const { backend, weights, blockMs, headMs } = compute;
  show({
    compute: { backend, adapter, weights, blockMs, headMs },
    memory: { budgetBytes, usedBytes: 0 },
  });
  const { prefillChunk } = compute;
  const proof = createSelfProof({ engine, manifest, reader, contextLength, prefillChunk });
  const holder = createShardHolder(engine, reader, weights, proof, (layer) => part?.keeps(layer));
  const taken = takePart({
    welcome,
    manifest,
    prepared,
    holder,
    reader,
    sources,
    peers,
    tell,
    inbox,
    onAnswer: (message) => questions.onAnswer(message),
    reporter,
    show,
    onIdle: () => store.idle(),
    showPlan: (plan) => store.update({ plan }),
    showAsking: (asking) => store.update({ asking }),
    fail,
    notice: (sentence) => store.notice(sentence),
    fallBack(reason) {
      const safer = saferThan(compute);
      if (!safer) return false;
      options.engine.fallBack({ with: safer, reason });
      store.notice(`${reason} ${startsAnew}`);
      end({ isFinal: false, reason });
      return true;
    },
  });
  part = taken;
  onAbort(signal, () => void taken.leave());
  options.onPart(taken);
  reporter.set({ kind: 'standby', ready: [] });
  const fellBack = fallback && `${fallback.reason} ${startedAnew(compute)}`;
  tell({ kind: 'profile', adapter, compute, callMs, budgetBytes, fellBack });
  const tellVisibility = (): void => {
    show({ isHidden: document.hidden });
    tell({ kind: 'visibility', isHidden: document.hidden });
  };
  document.addEventListener('visibilitychange', tellVisibility, { signal });
  if (document.hidden) tellVisibility();
  questions.reach(tell, welcome.deviceId);
  onAbort(signal, () => questions.lose());
  await taken.tellKeptLayers();
}

const relayedNotice =
  'This device reaches the host only by way of the server, which is slower: the network keeps devices apart.';
const startsAnew = 'It starts anew with what is slower and surer.';

function startedAnew({ backend, weights }: ComputeProfile): string {
  return `It computes with ${weights} on ${backend} now.`;
}

/** What a newcomer does once the host has welcomed it: finds the model, measures itself, and takes part. */
import type { ComputeProfile } from '../../engine/engine.ts';
import { onAbort } from '../../base/on-abort.ts';
import { deviceLabel } from '../../profile/this-device.ts';
import { openPieceCache, type PieceCache } from '../../store/piece-cache.ts';
import type { ShardReader } from '../../store/shard-reader.ts';
import type { Link, Signalling } from '../../transport/index.ts';
import {
  createSelfProof,
  createShardHolder,
  type PreparedEngine,
  prepareEngine,
  saferThan,
} from '../compute/index.ts';
import { createPeers, type Peers } from '../links/index.ts';
import { modelView } from '../model-view.ts';
import { createModelStore } from '../pieces/index.ts';
import {
  type BulkHandlers,
  type DeviceMessage,
  dispatch,
  type HostMessage,
  type MessageOf,
  unaskedBulk,
} from '../protocol/index.ts';
import { createOwnView, type OwnView } from './own-view.ts';
import {
  createLayerSources,
  createStatusReporter,
  type DevicePart,
  type Inbox,
  type LayerSources,
  type StatusReporter,
  takePart,
} from './part/index.ts';
import { findRoomModel, type RoomModel } from './room-model.ts';
import type { VisitEnd, VisitOptions } from './visit-options.ts';

export interface Welcomed {
  host: Link;
  signalling: Signalling;
  inbox: Inbox;
  welcome: MessageOf<HostMessage, 'welcome'>;
  /** Aborts when the visit is over. */
  signal: AbortSignal;
  end: (how: VisitEnd) => void;
}

export async function becomeDevice(options: VisitOptions, welcomed: Welcomed): Promise<void> {
  const { store, questions } = options;
  const { host, welcome, signal, end } = welcomed;
  let part: DevicePart | null = null;
  /** Work that was under way when the visit ended has nobody to report to. */
  const tell = (message: DeviceMessage): void => {
    if (!signal.aborted) host.sendControl(message);
  };
  const cache = openPieceCache();
  const model = await findRoomModel(welcome.model, host, signal);
  const { manifest } = model;
  const ties = tieUp(options, welcomed, { model, cache, tell, part: () => part });
  const called = { id: welcome.deviceId, label: deviceLabel() };
  const own = createOwnView(called, host, (device) => store.update({ devices: [device] }));
  const reporter = reporterOf(own, ties.reader, tell, () => part);
  store.update({ phase: { kind: 'open' }, model: modelView(manifest), plan: null });

  const { prepared, budgetBytes } = await engineFor(options, welcomed, model, cache, reporter);
  signal.throwIfAborted();
  if (cache.problem !== null) store.notice(cache.problem);
  if (host.stats.relayed === true) store.notice(relayedNotice);
  const { compute, callMs, engine } = prepared;
  const { adapter } = engine.info;
  const { backend, weights, blockMs, headMs, prefillChunk } = compute;
  own.show({
    compute: { backend, adapter, weights, blockMs, headMs },
    memory: { budgetBytes, usedBytes: 0 },
  });
  const { reader } = ties;
  const { contextLength } = welcome;
  const proof = createSelfProof({ engine, manifest, reader, contextLength, prefillChunk });
  const holder = createShardHolder(engine, reader, weights, proof, (layer) =>
    part?.offers.keeps(layer),
  );
  const taken = takePart({
    welcome,
    manifest,
    prepared,
    holder,
    ...ties,
    inbox: welcomed.inbox,
    reporter,
    own,
    store,
    questions,
    tell,
    fail: (reason) => end({ isFinal: true, reason }),
    fallBack: (reason) => fallBack(options, welcomed, compute, reason),
  });
  part = taken;
  onAbort(signal, () => void taken.leave());
  options.onPart(taken);
  reporter.set({ kind: 'standby', ready: [] });
  const { fallback } = options.engine;
  const fellBack = fallback && `${fallback.reason} ${startedAnew(compute)}`;
  tell({ kind: 'profile', adapter, compute, callMs, budgetBytes, fellBack });
  tellVisibility(own, tell, signal);
  questions.reach(tell, welcome.deviceId);
  onAbort(signal, () => questions.lose());
  await taken.offers.tellKept();
}

/** Who else is there, and how the model's bytes come from them. */
interface Ties {
  peers: Peers;
  sources: LayerSources;
  reader: ShardReader;
}

interface Tied {
  model: RoomModel;
  cache: PieceCache;
  tell: (message: DeviceMessage) => void;
  /** Null until this device takes part. */
  part: () => DevicePart | null;
}

function tieUp({ address }: VisitOptions, welcomed: Welcomed, tied: Tied): Ties {
  const { host, signalling, welcome, signal } = welcomed;
  const { model, cache, tell, part } = tied;
  const sources = createLayerSources(model.manifest);
  const peers = createPeers({
    deviceId: welcome.deviceId,
    dial: (peerId) => signalling.dial(peerId),
    key: address.key,
  });
  const { reader, exchange } = createModelStore({
    ...model,
    cache,
    fetchesForOthers: false,
    holders: (piece) => sources.of(piece),
    sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
    onHashMismatch: (deviceId, { file, offset, bytes }) =>
      tell({ kind: 'weights-disputed', deviceId, file, offset, bytes }),
  });
  const bulkHandlers: BulkHandlers = {
    ...unaskedBulk,
    ...exchange.handlers,
    recompute: (...asked) => (part()?.bulkHandlers ?? unaskedBulk).recompute(...asked),
  };
  peers.handle({
    onFrame: (from, header, payload) => part()?.receive(from, header, payload),
    onBulk: (from, { header, body }) => dispatch(bulkHandlers, header, from, body),
    onLost(deviceId, fault) {
      exchange.lost(deviceId);
      part()?.links.lost(deviceId, fault);
    },
  });
  peers.add('host', host);
  signalling.onDial((connection, peerId) => peers.dialled(connection, peerId));
  onAbort(signal, () => peers.closeAll('left the room'));
  return { peers, sources, reader };
}

function reporterOf(
  own: OwnView,
  reader: ShardReader,
  tell: (message: DeviceMessage) => void,
  part: () => DevicePart | null,
): StatusReporter {
  const figures = (): { usedBytes: number; bytesLoaded: number } => ({
    usedBytes: part()?.usedBytes ?? 0,
    bytesLoaded: reader.layerBytesFetched,
  });
  return createStatusReporter(
    (status) => {
      const { usedBytes, bytesLoaded } = figures();
      own.show({ status, bytesLoaded, memory: { ...own.now.memory, usedBytes } });
    },
    (status) => tell({ kind: 'status', status, ...figures() }),
  );
}

async function engineFor(
  { engine, device }: VisitOptions,
  { welcome, end }: Welcomed,
  { manifest, sha256 }: RoomModel,
  cache: PieceCache,
  reporter: StatusReporter,
): Promise<{ prepared: PreparedEngine; budgetBytes: number }> {
  const { contextLength } = welcome;
  const { fallback } = engine;
  const { weights } = fallback?.with ?? welcome;
  const wanted = { ...device(), ...(fallback && { backend: fallback.with.backend }) };
  const prepared = await engine.take(
    `${sha256} ${contextLength} ${weights}`,
    (reason) => end({ isFinal: false, reason: `This device lost its means to compute: ${reason}` }),
    (onLost) =>
      prepareEngine(
        wanted,
        { config: manifest.config, contextLength, weights },
        cache,
        (status) => reporter.set(status),
        onLost,
      ),
  );
  return { prepared, budgetBytes: wanted.memoryBudgetBytes ?? prepared.budgetBytes };
}

/** Ends this visit for one with an engine that computes more surely; false where there is none. */
function fallBack(
  { engine, store }: VisitOptions,
  { end }: Welcomed,
  compute: ComputeProfile,
  reason: string,
): boolean {
  const safer = saferThan(compute);
  if (!safer) return false;
  engine.fallBack({ with: safer, reason });
  store.notice(`${reason} ${startsAnew}`);
  end({ isFinal: false, reason });
  return true;
}

/** Tells of every change until the signal aborts, and at once where the page is hidden. */
function tellVisibility(
  own: OwnView,
  tell: (message: DeviceMessage) => void,
  signal: AbortSignal,
): void {
  const look = (): void => {
    own.show({ isHidden: document.hidden });
    tell({ kind: 'visibility', isHidden: document.hidden });
  };
  document.addEventListener('visibilitychange', look, { signal });
  if (document.hidden) look();
}

const relayedNotice =
  'This device reaches the host only by way of the server, which is slower: the network keeps devices apart.';
const startsAnew = 'It starts anew with what is slower and surer.';

function startedAnew({ backend, weights }: ComputeProfile): string {
  return `It computes with ${weights} on ${backend} now.`;
}

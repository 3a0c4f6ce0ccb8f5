/** Joins a room as a device: proves the room key, measures this tab, and computes what it is given. */
import { deviceLabel } from '../../profile/this-device.ts';
import { openPieceCache } from '../../store/piece-cache.ts';
import {
  createPeerJsSignalling,
  keepIdentity,
  openLink,
  type Link,
  type RoomAddress,
  type Signalling,
} from '../../transport/index.ts';
import { createModelStore } from '../model-store.ts';
import { modelView } from '../model-view.ts';
import { createPeers } from '../peers.ts';
import { prepareEngine } from '../prepare-engine.ts';
import { roomProtocolVersion } from '../protocol.ts';
import type { DeviceOptions, Room } from '../room.ts';
import { createShardHolder } from '../shard-holder.ts';
import type { DeviceView } from '../view.ts';
import { createViewStore } from '../view-store.ts';
import { openInbox } from './inbox.ts';
import { findRoomModel } from './room-model.ts';
import { createRowSources } from './row-sources.ts';
import { takePart, type DevicePart } from './take-part.ts';
import { createStatusReporter } from './status-reporter.ts';

/** Returns at once; the view says how far joining has come, and why if it fails. */
export function joinRoom(address: RoomAddress, options: DeviceOptions): Room {
  const store = createViewStore({
    role: 'device',
    phase: { kind: 'starting', step: 'Looking for the room' },
    link: null,
    model: null,
    devices: [],
    plan: null,
    waitingFor: null,
    asking: 'off',
    answers: [],
    notices: [],
  });
  const leaving = new AbortController();
  const { signal } = leaving;
  let memoryBudgetBytes = options.memoryBudgetBytes;
  let part: DevicePart | null = null;

  function end(reason: string): void {
    if (signal.aborted) return;
    leaving.abort(reason);
    store.update({ phase: { kind: 'closed', reason } });
  }

  function close(): void {
    end('You left the room.');
  }

  async function join(): Promise<void> {
    const signalling = await createPeerJsSignalling({
      identity: await keepIdentity(address.hostId),
      ...(address.signallingUrl !== undefined && { url: address.signallingUrl }),
      ...(address.iceServers !== undefined && { iceServers: address.iceServers }),
    });
    onAbort(signal, () => signalling.close());
    const connection = await signalling.dial(address.hostId);
    store.update({ phase: { kind: 'starting', step: 'Proving the invitation' } });
    const host = await openLink(connection, {
      peerId: address.hostId,
      key: address.key,
      version: roomProtocolVersion,
    });
    onAbort(signal, () => host.close('left the room'));
    host.onClosed((reason) => end(reason));
    await becomeDevice(host, signalling);
  }

  async function becomeDevice(host: Link, signalling: Signalling): Promise<void> {
    host.sendControl({ kind: 'hello', label: deviceLabel() });
    const inbox = openInbox(host);
    const welcome = await inbox.next();
    if (welcome.kind !== 'welcome') throw new Error('The host did not say which model it runs.');
    const { manifest, sha256, outside } = await findRoomModel(welcome.model, host);
    const cache = openPieceCache();
    const sources = createRowSources(manifest);
    const peers = createPeers({
      dial: (peerId) => signalling.dial(peerId),
      key: address.key,
      onFrame: (from, header, payload) => part?.receive(from, header, payload),
      onBulk: (from, message) => exchange.receive(from, message),
      onLost(deviceId) {
        exchange.lost(deviceId);
        part?.lostPeer(deviceId);
      },
    });
    const { reader, exchange } = createModelStore({
      manifest,
      sha256,
      cache,
      outside,
      fetchesForOthers: false,
      holders: (piece) => sources.of(piece),
      sendBulk: (deviceId, message) => peers.sendBulk(deviceId, message),
      onForged: (deviceId) => host.sendControl({ kind: 'forged', deviceId }),
    });
    peers.add('host', host);
    signalling.onDial((connection, peerId) => peers.dialled(connection, peerId));
    onAbort(signal, () => peers.closeAll('left the room'));
    let own = newcomer(welcome.deviceId);
    const show = (change: Partial<DeviceView>): void => {
      own = { ...own, ...change };
      store.update({ devices: [own] });
    };
    const reporter = createStatusReporter(
      (status) =>
        show({
          status,
          bytesLoaded: reader.rowBytesFetched,
          memory: { ...own.memory, usedBytes: part?.usedBytes ?? 0 },
        }),
      (status) =>
        host.sendControl({
          kind: 'status',
          status,
          usedBytes: part?.usedBytes ?? 0,
          bytesLoaded: reader.rowBytesFetched,
        }),
    );
    store.update({ phase: { kind: 'open' }, model: modelView(manifest) });
    const prepared = await prepareEngine(
      { ...options, memoryBudgetBytes },
      { config: manifest.config, contextLength: welcome.contextLength, weights: welcome.weights },
      cache,
      (status) => reporter.set(status),
    );
    onAbort(signal, () => void prepared.engine.dispose());
    if (signal.aborted) return;
    if (cache.problem !== null) store.notice(cache.problem);
    const { compute, callMs, engine } = prepared;
    const budgetBytes = memoryBudgetBytes ?? prepared.budgetBytes;
    const { adapter } = engine.info;
    const { backend, weights, layerMs, headMs } = compute;
    show({
      compute: { backend, adapter, weights, layerMs, headMs },
      memory: { budgetBytes, usedBytes: 0 },
    });
    part = takePart({
      welcome,
      manifest,
      prepared,
      holder: createShardHolder(engine, reader, weights, (row) => part?.keeps(row)),
      reader,
      sources,
      peers,
      host,
      inbox,
      reporter,
      show,
      showPlan: (plan) => store.update({ plan }),
      showAnswers: (answers) => store.update({ answers }),
      showAsking: (asking) => store.update({ asking }),
      fail: end,
    });
    onAbort(signal, () => part?.leave());
    reporter.set({ kind: 'spare' });
    host.sendControl({ kind: 'profile', adapter, compute, callMs, budgetBytes });
    await part.tellKeptRows();
  }

  addEventListener('pagehide', close, { signal });
  join().catch((error: unknown) => end(sentenceOf(error)));

  return {
    get view() {
      return store.view;
    },
    subscribe: (listener) => store.subscribe(listener),
    ask(request) {
      if (!part) throw new Error('This device is still getting ready: ask again in a moment.');
      return part.ask(request);
    },
    stop: (answerId) => part?.stop(answerId),
    setMemoryBudget(bytes) {
      memoryBudgetBytes = bytes;
      part?.setBudget(bytes);
    },
    close,
  };
}

function newcomer(id: string): DeviceView {
  return {
    id,
    label: deviceLabel(),
    isThisDevice: true,
    status: { kind: 'connecting' },
    rows: [],
    compute: null,
    memory: { budgetBytes: 0, usedBytes: 0 },
    bytesLoaded: 0,
    link: null,
  };
}

function onAbort(signal: AbortSignal, work: () => void): void {
  if (signal.aborted) work();
  else signal.addEventListener('abort', work, { once: true });
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Opens a room: this tab becomes its host, and, like every other tab, one of its devices. */
import type { Manifest } from '../../model/manifest.ts';
import { loadTokenizer, type Tokenizer } from '../../model/tokenizer.ts';
import { openPieceCache } from '../../store/piece-cache.ts';
import { createShardReader, type ShardReader } from '../../store/shard-reader.ts';
import {
  createIdentity,
  createPeerJsSignalling,
  makeRoomKey,
  makeRoomLink,
} from '../../transport/index.ts';
import { modelView } from '../model-view.ts';
import type { HostOptions, HostRoom } from '../room.ts';
import { createViewStore, type ViewStore } from '../view-store.ts';
import { openModel } from './open-model.ts';
import { runRoom, type RunningRoom } from './run-room.ts';
import { createTextCodec } from './text-codec.ts';

/** Returns at once; the view says how far opening has come, and why if it fails. */
export function openRoom(options: HostOptions): HostRoom {
  const store = createViewStore({
    role: 'host',
    phase: { kind: 'starting', step: 'Looking at the model' },
    link: null,
    model: null,
    devices: [],
    plan: null,
    waitingFor: null,
    asking: options.asking,
    answers: [],
    notices: [],
  });
  const ending = new AbortController();
  const { signal } = ending;
  let room: RunningRoom | null = null;

  function end(reason: string): void {
    if (signal.aborted) return;
    ending.abort(new Error(reason));
    store.update({ phase: { kind: 'closed', reason }, link: null });
  }

  function close(): void {
    end('You closed the room.');
  }

  function openRoomOrThrow(): RunningRoom {
    if (!room) throw new Error('The room is still being opened: try again in a moment.');
    return room;
  }

  const opened = open(options, store, signal);
  opened.then(
    (running) => (room = running),
    (error: unknown) => end(error instanceof Error ? error.message : String(error)),
  );
  addEventListener('pagehide', close, { signal });

  return {
    get view() {
      return store.view;
    },
    subscribe: (listener) => store.subscribe(listener),
    setMemoryBudget(bytes) {
      options = { ...options, memoryBudgetBytes: bytes };
      room?.setMemoryBudget(bytes);
    },
    ask: (request) => openRoomOrThrow().ask(request),
    setAsking: (mode) => openRoomOrThrow().setAsking(mode),
    decide: (answerId, isAllowed) => room?.decide(answerId, isAllowed),
    stop: (answerId) => room?.stop(answerId),
    settled: () => opened.then((running) => running.settled()),
    close,
  };
}

async function open(
  options: HostOptions,
  store: ViewStore,
  signal: AbortSignal,
): Promise<RunningRoom> {
  const opened = await openModel(options.model);
  const { manifest } = opened;
  const cache = openPieceCache();
  const reader = createShardReader(
    manifest,
    { ...opened.origin, name: opened.address.sha256 },
    cache,
  );
  const tokenizer = await readTokenizer(manifest, reader);
  store.update({
    model: modelView(manifest),
    phase: { kind: 'starting', step: 'Opening the door' },
  });

  const signalling = await createPeerJsSignalling({ identity: await createIdentity() });
  signal.addEventListener('abort', () => signalling.close());
  signal.throwIfAborted();
  const address = { hostId: signalling.id, key: makeRoomKey() };
  const page = new URL(options.linkBaseUrl ?? document.baseURI);
  page.search = '';
  store.update({ link: makeRoomLink(page.href, address), phase: { kind: 'open' } });
  return runRoom({
    options,
    store,
    signal,
    model: opened,
    codec: createTextCodec(manifest, tokenizer),
    cache,
    signalling,
    address,
  });
}

async function readTokenizer(manifest: Manifest, reader: ShardReader): Promise<Tokenizer | null> {
  if (manifest.tokenizer === null) return null;
  const bytes = await reader.readFile(manifest.tokenizer);
  return loadTokenizer(JSON.parse(new TextDecoder().decode(bytes)));
}

/** Opens a room: this tab becomes its host, and, like every other tab, one of its devices. */
import { cryptography } from '../../base/cryptography.ts';
import { errorMessage } from '../../base/error-message.ts';
import type { Manifest } from '../../model/manifest.ts';
import { startPrompts, type PromptClient } from '../../model/chat/prompt-client.ts';
import { loadModelTokenizer, promptModelOf } from '../../model/chat/prompt-reader.ts';
import type { Tokenizer } from '../../model/text/tokenizer.ts';
import { openPieceCache, type PieceCache } from '../../store/piece-cache.ts';
import { createShardReader, type ShardReader } from '../../store/shard-reader.ts';
import {
  createIdentity,
  createSignalling,
  makeRoomKey,
  makeRoomLink,
} from '../../transport/index.ts';
import { modelView } from '../model-view.ts';
import type { HostOptions, HostRoom } from '../room.ts';
import { tellWaiting } from '../tell-waiting.ts';
import { createViewStore, newView, type ViewStore } from '../view-store.ts';
import type { ModelProblem } from '../view.ts';
import { onAbort } from '../../base/on-abort.ts';
import { runRoom, type RunningRoom } from './run-room.ts';
import { relayServers } from '../links/index.ts';
import {
  describedProblem,
  ModelRefusedError,
  openModel,
  problemOf,
  type OpenedModel,
} from './weights/index.ts';
import { createRecordWriter, forgetRoomRecord, type RoomRecord } from './saved-room/index.ts';
import { createTextCodec, withoutTokenizer } from './requests/index.ts';

/**
 * Returns at once. The view says how far opening has come, or why it failed. With a record the room is the one that was
 * broken off: it has the same link and conversation, and the answer in progress goes on.
 */
export function openRoom(options: HostOptions, record: RoomRecord | null = null): HostRoom {
  const store = createViewStore({
    ...newView('host', 'Looking at the model'),
    asking: options.asking,
  });
  const ending = new AbortController();
  const { signal } = ending;
  tellWaiting(store, signal);
  let room: RunningRoom | null = null;
  /** Names the record that is forgotten when the room is closed. */
  let hostId = record?.hostId ?? null;

  function end(reason: string): void {
    if (signal.aborted) return;
    ending.abort(new Error(reason));
    store.update({ phase: { kind: 'closed', reason }, link: null });
  }

  async function sayProblem({ message, cause }: ModelRefusedError): Promise<void> {
    const isShown = (): boolean =>
      store.view.phase.kind === 'closed' && store.view.phase.reason === message;
    const say = (problem: ModelProblem): void => {
      if (isShown()) store.update({ phase: { kind: 'closed', reason: message, problem } });
    };
    say(problemOf(options.model, cause));
    say(await describedProblem(options.model, cause));
  }

  function close(): void {
    room?.sayEnded();
    if (hostId !== null) void forgetRoomRecord(hostId);
    end('You closed the room.');
  }

  /** The page may come back, so devices are not told that the room is over, and wait. */
  function goAway(): void {
    end('This page was left.');
  }

  function openRoomOrThrow(): RunningRoom {
    if (!room) throw new Error('The room is still being opened: try again in a moment.');
    return room;
  }

  const opened = open({ options, store, signal, record, onId: (id) => (hostId = id) });
  opened.then(
    (running) => (room = running),
    (error: unknown) => {
      // Whoever ended the room has said why.
      if (signal.aborted) return;
      end(errorMessage(error));
      if (error instanceof ModelRefusedError) void sayProblem(error);
    },
  );
  addEventListener('pagehide', goAway, { signal });

  return {
    get view() {
      return store.view;
    },
    subscribe: (listener) => store.subscribe(listener),
    onIdle: (listener) => store.onIdle(listener),
    setMemoryBudget(bytes) {
      options = { ...options, memoryBudgetBytes: bytes };
      room?.setMemoryBudget(bytes);
    },
    ask: (request) => openRoomOrThrow().ask(request),
    emulate: (deviceId, emulation) => openRoomOrThrow().emulate(deviceId, emulation),
    setAsking: (mode) => openRoomOrThrow().setAsking(mode),
    setDoor: (mode) => openRoomOrThrow().setDoor(mode),
    answerKnock: (knockId, isAllowed) => room?.answerKnock(knockId, isAllowed),
    remove: (deviceId) => room?.remove(deviceId),
    decide: (answerId, isAllowed) => room?.decide(answerId, isAllowed),
    stop: (answerId) => room?.stop(answerId),
    explainPlan: () => openRoomOrThrow().explainPlan(),
    settled: () => opened.then((running) => running.settled()),
    close,
  };
}

interface Opening {
  options: HostOptions;
  store: ViewStore;
  signal: AbortSignal;
  record: RoomRecord | null;
  onId: (hostId: string) => void;
}

async function open({ options, store, signal, record, onId }: Opening): Promise<RunningRoom> {
  // A page that cannot prove a key need not load a model first.
  cryptography();
  const cache = openPieceCache();
  const { opened, tokenizer, prompts } = await openModelFor(options, cache, signal);
  const { manifest } = opened;
  onAbort(signal, () => prompts?.close());
  store.update({
    model: modelView(manifest),
    phase: { kind: 'starting', step: 'Opening the door' },
  });
  if (!tokenizer) store.notice(withoutTokenizer);

  const identity = await createIdentity();
  const signalling = await createSignalling({
    identity,
    iceServers: await relayServers(),
    relayOnly: options.relayOnly,
    ...(record && { id: record.hostId }),
  });
  // The room may have been closed meanwhile.
  onAbort(signal, () => signalling.close());
  signal.throwIfAborted();
  const address = { hostId: signalling.id, key: record?.key ?? makeRoomKey() };
  onId(address.hostId);
  const page = new URL(options.linkBaseUrl ?? document.baseURI);
  page.search = '';
  store.update({ link: makeRoomLink(page.href, address), phase: { kind: 'open' } });
  const keeper = createRecordWriter(
    () => ({ ...address, options, ...running.record(), savedAt: Date.now() }),
    (sentence) => store.notice(sentence),
  );
  signal.addEventListener('abort', () => keeper.stop());
  const running = runRoom({
    options,
    store,
    signal,
    model: opened,
    codec: createTextCodec(manifest, tokenizer, prompts),
    cache,
    signalling,
    address,
    fingerprint: identity.fingerprint,
    record,
    onRecord: () => keeper.changed(),
  });
  keeper.changed();
  return running;
}

/** The model and its text. Rejects with a `ModelRefusedError`. */
async function openModelFor(
  { model }: HostOptions,
  cache: PieceCache,
  signal: AbortSignal,
): Promise<Text & { opened: OpenedModel }> {
  try {
    const opened = await openModel(model, signal);
    const { manifest, origin, address } = opened;
    const reader = createShardReader(manifest, { ...origin, name: address.sha256 }, cache);
    return { opened, ...(await openText(manifest, reader, signal)) };
  } catch (error) {
    throw new ModelRefusedError(errorMessage(error), { cause: error });
  }
}

interface Text {
  tokenizer: Tokenizer | null;
  prompts: PromptClient | null;
}

/** The tokenizer, and the worker that makes prompts; both null for a model that has no tokenizer. */
async function openText(
  manifest: Manifest,
  reader: ShardReader,
  signal: AbortSignal,
): Promise<Text> {
  const { tokenizer: path, chatTemplate } = manifest;
  if (path === null) return { tokenizer: null, prompts: null };
  const read = async (): Promise<string> =>
    new TextDecoder().decode(await reader.readFile(path, signal));
  const json = await read();
  const tokenizer = loadModelTokenizer(chatTemplate, json);
  let first: string | null = json;
  const prompts = startPrompts({
    model: promptModelOf(manifest),
    readTokenizer() {
      const text = first === null ? read() : Promise.resolve(first);
      first = null;
      return text;
    },
  });
  return { tokenizer, prompts };
}

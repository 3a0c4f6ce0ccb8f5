/** What `peerjs-internals.ts` counts on, tried on the PeerJS that is installed. WebRTC and the socket are stand-ins. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { DataConnection, Peer } from 'peerjs';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { NegotiationSchema, type NegotiationMessage } from './negotiation.ts';
import {
  fromPeerJs,
  isAbsence,
  onServerMessage,
  postMessage,
  readPayload,
  sendByServer,
  takeOver,
  toPeerJs,
} from './peerjs-internals.ts';

class SocketStandIn {
  static opened: SocketStandIn[] = [];
  readonly readyState = 1;
  readonly sent: Message[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor() {
    SocketStandIn.opened.push(this);
  }

  send(text: string): void {
    this.sent.push(v.parse(MessageSchema, JSON.parse(text)));
  }

  close(): void {
    this.onclose?.();
  }
}

class ChannelStandIn extends EventTarget {
  readyState = 'open';
  onclose: (() => void) | null = null;

  close(): void {
    this.readyState = 'closed';
  }
}

class ConnectionStandIn extends EventTarget {
  onicecandidate: ((event: { candidate: { candidate: string } }) => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  ondatachannel: ((event: { channel: ChannelStandIn }) => void) | null = null;
  iceConnectionState = 'new';
  signalingState = 'stable';
  isClosed = false;
  readonly heard: unknown[] = [];
  readonly channel = new ChannelStandIn();

  createDataChannel = (): ChannelStandIn => this.channel;
  createOffer = (): object => ({ type: 'offer', sdp: 'our offer' });
  createAnswer = (): object => ({ type: 'answer', sdp: 'our answer' });
  setLocalDescription = (): void => undefined;
  setRemoteDescription = (description: object): void => void this.heard.push(description);
  addIceCandidate = (candidate: object): void => void this.heard.push(candidate);

  close(): void {
    this.isClosed = true;
  }
}

const MessageSchema = v.object({
  type: v.string(),
  dst: v.optional(v.string()),
  payload: v.optional(v.unknown()),
});
type Message = v.InferOutput<typeof MessageSchema>;

type PeerServerAddress = Pick<
  NonNullable<ConstructorParameters<typeof Peer>[1]>,
  'host' | 'port' | 'path' | 'secure' | 'config'
>;

let PeerJs: typeof Peer;

beforeAll(async () => {
  vi.stubGlobal('WebSocket', SocketStandIn);
  vi.stubGlobal('RTCPeerConnection', ConnectionStandIn);
  vi.stubGlobal('RTCSessionDescription', function (this: object, description: object) {
    Object.assign(this, description);
  });
  // It looks for WebRTC where it is first loaded.
  ({ Peer: PeerJs } = await import('peerjs'));
});

afterAll(() => vi.unstubAllGlobals());

/** PeerJS does that; if not, the failure says where this project counts on it. */
function peerJs(does: string, check: () => Promise<void> | void): void {
  test(`PeerJS ${does}`, async () => {
    try {
      await check();
    } catch (error) {
      const message = `peerjs ${installedVersion()} no longer ${does}: look at src/transport/peerjs-internals.ts`;
      throw new Error(message, { cause: error });
    }
  });
}

function installedVersion(): string {
  const main = createRequire(import.meta.url).resolve('peerjs');
  const description: unknown = JSON.parse(
    readFileSync(join(dirname(main), '../package.json'), 'utf8'),
  );
  return v.parse(v.object({ version: v.string() }), description).version;
}

interface Registered {
  peer: Peer;
  /** The socket that is open now. */
  socket: () => SocketStandIn;
  errors: { type: string; message: string }[];
  /** What the server passes on. */
  say: (message: object) => void;
}

function register(): Registered {
  const server: PeerServerAddress = {
    host: 'localhost',
    port: 1,
    path: '/peerjs',
    secure: false,
    config: {},
  };
  const peer = new PeerJs('own', server);
  onTestFinished(() => peer.destroy());
  const errors: Registered['errors'] = [];
  peer.on('error', ({ type, message }) => void errors.push({ type, message }));
  const socket = (): SocketStandIn =>
    SocketStandIn.opened.at(-1) ?? expect.fail('it opened no WebSocket');
  const say = (message: object): void => socket().onmessage?.({ data: JSON.stringify(message) });
  socket().onopen?.();
  say({ type: 'OPEN' });
  expect(peer.open).toBe(true);
  return { peer, socket, errors, say };
}

/** Promises that PeerJS waits for have all been kept by then. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function standInOf(connection: RTCPeerConnection): ConnectionStandIn {
  expect(connection).toBeInstanceOf(ConnectionStandIn);
  return connection as unknown as ConnectionStandIn;
}

async function dial({ peer, socket }: Registered): Promise<[DataConnection, connectionId: string]> {
  const introduction = peer.connect('other', { serialization: 'raw', reliable: true });
  await settled();
  const payload = readPayload(socket().sent.at(-1)?.payload);
  return [introduction, payload?.connectionId ?? expect.fail('it named no connectionId')];
}

const offer: NegotiationMessage = { kind: 'offer', sdp: 'an offer' };
const candidate: NegotiationMessage = { kind: 'candidate', candidate: { candidate: 'a way' } };

peerJs('has peer.socket.send, which sends a message as it is', () => {
  const { peer, socket } = register();
  sendByServer(peer, 'other', postMessage({ edgeshard: 'topic' }));
  expect(socket().sent).toEqual([
    { type: 'CANDIDATE', dst: 'other', payload: { edgeshard: 'topic' } },
  ]);
});

peerJs('tells of each message on peer.socket, after a reconnection too', () => {
  const { peer, socket, say } = register();
  const heard: unknown[] = [];
  onServerMessage(peer, (fromId, payload) => heard.push([fromId, payload]));
  say({ type: 'CANDIDATE', src: 'other', payload: 1 });
  socket().close();
  expect(peer.disconnected).toBe(true);
  peer.reconnect();
  socket().onopen?.();
  say({ type: 'OPEN' });
  say({ type: 'CANDIDATE', src: 'other', payload: 2 });
  expect(heard).toEqual([
    ['other', 1],
    ['other', 2],
  ]);
});

peerJs('lets a CANDIDATE fall that names no connection', () => {
  const { peer, socket, errors, say } = register();
  const onConnection = vi.fn();
  peer.on('connection', onConnection);
  say({ ...postMessage({ edgeshard: 'topic', message: {} }), src: 'other' });
  expect(onConnection).not.toHaveBeenCalled();
  expect(errors).toEqual([]);
  expect(socket().sent).toEqual([]);
  expect(peer.open).toBe(true);
});

peerJs('keeps what comes before its offer, and gives it up by peer._getMessages', async () => {
  const { peer, say } = register();
  onServerMessage(peer, () => undefined);
  const ids = Array.from({ length: 1000 }, (_, index) => `dc_${index}`);
  for (const id of ids) say({ ...toPeerJs(candidate, id), src: 'other' });
  for (let time = 0; time < 1000; time++) say({ ...toPeerJs(candidate, 'dc_same'), src: 'other' });
  const introductions: DataConnection[] = [];
  peer.on('connection', (introduction) => void introductions.push(introduction));
  say({ ...toPeerJs(candidate, 'dc_early'), src: 'caller' });
  say({ ...toPeerJs(offer, 'dc_early'), src: 'caller' });
  await settled();
  expect(standInOf(introductions[0].peerConnection).heard).toContainEqual({ candidate: 'a way' });
  const kept = [...ids, 'dc_same'].flatMap((id) => peer._getMessages(id));
  expect(kept.length).toBeLessThanOrEqual(64);
});

peerJs(
  'has introduction.peerConnection as soon as it dials, and leaves one alone that was taken over',
  async () => {
    const registered = register();
    const { peer, say } = registered;
    const introduction = peer.connect('other', { serialization: 'raw', reliable: true });
    const { connection } = takeOver(introduction);
    const standIn = standInOf(connection);
    await settled();
    standIn.iceConnectionState = 'failed';
    standIn.oniceconnectionstatechange?.();
    standIn.ondatachannel?.({ channel: new ChannelStandIn() });
    standIn.channel.onclose?.();
    say({ type: 'LEAVE', src: 'other' });
    registered.socket().close();
    peer.destroy();
    expect(standIn.isClosed).toBe(false);
  },
);

peerJs('forgets a connection by introduction.close', async () => {
  const registered = register();
  const [introduction, connectionId] = await dial(registered);
  const { forget } = takeOver(introduction);
  expect(registered.peer.getConnection('other', connectionId)).toBe(introduction);
  introduction.close();
  expect(registered.peer.getConnection('other', connectionId)).toBe(introduction);
  forget();
  expect(registered.peer.getConnection('other', connectionId)).toBe(null);
});

peerJs('passes answer and candidates on after a connection was taken over', async () => {
  const registered = register();
  const { socket, say } = registered;
  const [introduction, connectionId] = await dial(registered);
  const standIn = standInOf(takeOver(introduction).connection);
  standIn.onicecandidate?.({ candidate: { candidate: 'our way' } });
  const sent = socket().sent.at(-1);
  expect(sent).toMatchObject({ type: 'CANDIDATE', dst: 'other' });
  expect(read(sent)).toEqual({ kind: 'candidate', candidate: { candidate: 'our way' } });

  say({ ...toPeerJs({ kind: 'answer', sdp: 'an answer' }, connectionId), src: 'other' });
  say({ ...toPeerJs(candidate, connectionId), src: 'other' });
  await settled();
  expect(standIn.heard).toEqual([{ type: 'answer', sdp: 'an answer' }, { candidate: 'a way' }]);
});

peerJs('makes an offer that we read, and answers ours in words that we read', async () => {
  const registered = register();
  const { peer, socket, errors, say } = registered;
  await dial(registered);
  expect(read(socket().sent.at(-1))).toEqual({ kind: 'offer', sdp: 'our offer' });

  const introductions: DataConnection[] = [];
  peer.on('connection', (introduction) => void introductions.push(introduction));
  say({ ...toPeerJs(offer, 'dc_1'), src: 'caller' });
  expect(introductions).toHaveLength(1);
  expect(introductions[0].peer).toBe('caller');
  await settled();
  expect(standInOf(introductions[0].peerConnection).heard).toEqual([
    { type: 'offer', sdp: 'an offer' },
  ]);
  const answer = socket().sent.at(-1);
  expect(answer).toMatchObject({ dst: 'caller' });
  expect(readPayload(answer?.payload)?.connectionId).toBe('dc_1');
  expect(read(answer)).toEqual({ kind: 'answer', sdp: 'our answer' });
  expect(errors).toEqual([]);
});

peerJs('names in the error’s message the device that the server does not know', () => {
  const { errors, say } = register();
  say({ type: 'EXPIRE', src: 'gone', dst: 'own' });
  expect(errors).toHaveLength(1);
  expect(isAbsence(errors[0], 'gone')).toBe(true);
  expect(isAbsence(errors[0], 'one')).toBe(false);
});

/** As a device hears it that came by server-sent events. */
function read(message: Message | undefined): NegotiationMessage {
  const payload = readPayload(message?.payload);
  if (!message || !payload) expect.fail('it said nothing about a connection');
  return v.parse(NegotiationSchema, fromPeerJs(message.type, payload));
}

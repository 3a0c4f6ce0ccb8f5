/** One device of the transport's tests: the real transport, driven from outside by plain values. */
import { channelsOf } from '../../src/transport/channels.ts';
import { encodeFrame, plainHeader } from '../../src/transport/frame.ts';
import {
  createIdentity,
  createSignalling,
  keepIdentity,
  LinkError,
  openLink,
  type CloseCause,
  type FrameHeader,
  type Link,
  type LinkEmulation,
  type LinkProfile,
  type Signalling,
} from '../../src/transport/index.ts';

interface LinkOptions {
  key: number[];
  expectedFingerprint?: string;
  version?: number;
  silenceMs?: number;
  deadlineMs?: number;
}

type Opened = { fingerprint: string } | { code: string; message: string };
interface Ending {
  reason: string;
  cause: CloseCause;
  /** Milliseconds since 1970, by this machine's clock. */
  at: number;
}

let signalling: Signalling;
let link: Link;
let ending: Ending | null = null;
let accepted: Promise<Opened> = new Promise(() => undefined);
let events: { interruptions: number; resumedAfterMs: number[] } = {
  interruptions: 0,
  resumedAfterMs: [],
};
const frameTimes: number[] = [];
let arrivals: { frames: [FrameHeader, Uint8Array][]; control: unknown[]; bulk: Uint8Array[] };

async function open(connection: RTCPeerConnection, peerId: string, options: LinkOptions) {
  try {
    link = await openLink(connection, { ...options, peerId, key: Uint8Array.from(options.key) });
  } catch (error) {
    if (error instanceof LinkError) return { code: error.code, message: error.message };
    throw error;
  }
  const heard: typeof arrivals = { frames: [], control: [], bulk: [] };
  arrivals = heard;
  ending = null;
  link.onControl((message) => heard.control.push(message));
  link.onBulk((bytes) => heard.bulk.push(bytes));
  link.onClosed((reason, cause) => (ending = { reason, cause, at: Date.now() }));
  const seen: typeof events = { interruptions: 0, resumedAfterMs: [] };
  events = seen;
  link.onInterrupted(() => seen.interruptions++);
  link.onResumed((tookMs) => seen.resumedAfterMs.push(tookMs));
  return { fingerprint: link.fingerprint };
}

const device = {
  /** Registers at the page's server; returns this device's fingerprint. */
  async register(id: string, { kept = false } = {}): Promise<string> {
    const identity = kept ? await keepIdentity('test') : await createIdentity();
    signalling = await createSignalling({ id, identity });
    return identity.fingerprint;
  },
  /** From now on this browser offers no address of its own, as under a strict privacy setting. */
  hideAddresses(): void {
    iceTransportPolicy = 'relay';
  },
  /** From now on what this device sends another goes by the test’s own network path. */
  useNetworkPath(part: 'through' | 'answered'): void {
    networkPath = part;
  },
  /** Accepts whoever dials next; `accepted` says how it went. */
  accept(options: LinkOptions): void {
    accepted = new Promise((resolve) =>
      signalling.onDial((connection, fromId) => resolve(open(connection, fromId, options))),
    );
  },
  accepted: () => accepted,
  async dial(peerId: string, options: LinkOptions): Promise<Opened> {
    try {
      return await open(await signalling.dial(peerId), peerId, options);
    } catch (error) {
      if (error instanceof LinkError) return { code: error.code, message: error.message };
      throw error;
    }
  },
  /** A stranger who skips the proof and talks at once, and much. */
  async barge(peerId: string): Promise<void> {
    const { control, tokens } = channelsOf(await signalling.dial(peerId));
    await new Promise((resolve) => (tokens.raw.onopen = resolve));
    const messages = encodeFrame(plainHeader, new Uint8Array(1000), { number: 0 });
    for (let count = 0; count < 100; count++) for (const message of messages) tokens.send(message);
    control.send(JSON.stringify({ kind: 'room', message: 'let me in' }));
  },
  /** A man in the middle: takes a dial, dials on, and passes on whatever the two say. */
  relayTo(peerId: string): void {
    signalling.onDial((near) => {
      void signalling.dial(peerId).then((far) => {
        const [one, other] = [channelsOf(near).control, channelsOf(far).control];
        const pass = (from: typeof one, to: typeof one): void => {
          const begin = (): void => from.listen((data) => to.send(data as string));
          if (to.raw.readyState === 'open') begin();
          else to.raw.addEventListener('open', begin);
        };
        pass(one, other);
        pass(other, one);
      });
    });
  },

  sayControl: (message: unknown) => link.sendControl(message),
  control: () => arrivals.control,
  /** Sends every frame back as it came. */
  mirror(): void {
    link.onFrame((received, payload) => link.sendFrame(received, payload));
  },
  /** Sends so many frames, random payloads, and says whether each came back once, in order and unchanged. */
  async framesComeBack(bytes: number, count: number): Promise<string> {
    const sent = Array.from({ length: count }, (_, step) => {
      const payload = new Uint8Array(bytes);
      for (let at = 0; at < bytes; at += 65_536)
        crypto.getRandomValues(payload.subarray(at, at + 65_536));
      return { step, payload };
    });
    const hop = { stage: 3, queueUs: 10, computeUs: 2000, wireUs: 300 };
    return new Promise((resolve) => {
      let next = 0;
      const stop = link.onFrame((received, payload) => {
        const expected = sent[next++];
        const same =
          received.step === expected.step &&
          JSON.stringify(received.hops) === JSON.stringify([hop]) &&
          payload.length === expected.payload.length &&
          payload.every((byte, index) => byte === expected.payload[index]);
        if (same && next < count) return;
        stop();
        resolve(same ? 'unchanged' : `frame ${next - 1} differs`);
      });
      for (const { step, payload } of sent)
        link.sendFrame({ ...plainHeader, sequence: bytes, step, hops: [hop] }, payload);
    });
  },
  /** Frames there and back one after the other, as in decoding; each one's time in ms. */
  async lapTimes(bytes: number, laps: number): Promise<number[]> {
    const payload = new Uint8Array(bytes);
    const times: number[] = [];
    await new Promise<void>((resolve) => {
      let sentAt = performance.now();
      const stop = link.onFrame(() => {
        times.push(performance.now() - sentAt);
        if (times.length === laps) {
          stop();
          resolve();
          return;
        }
        sentAt = performance.now();
        link.sendFrame({ ...plainHeader, sequence: 7 }, payload);
      });
      link.sendFrame({ ...plainHeader, sequence: 7 }, payload);
    });
    return times;
  },
  async sendBulk(bytes: number, fill: number): Promise<number> {
    const beganAt = performance.now();
    await link.sendBulk(new Uint8Array(bytes).fill(fill));
    return performance.now() - beganAt;
  },
  /** Length and sum of each large message that came. */
  bulk: () =>
    arrivals.bulk.map((bytes) => [bytes.length, bytes.reduce((sum, byte) => sum + byte, 0)]),
  ping: () => link.ping(),
  measure: (): Promise<LinkProfile> => link.measure(),
  emulate: (emulation: LinkEmulation | null) => link.emulate(emulation),
  stats: () => ({ ...link.stats }),
  /** Bytes straight onto the frames' channel, as only a hostile device would. */
  async sendRaw(bytes: number[]): Promise<void> {
    const connection = liveConnections[liveConnections.length - 1];
    channelsOf(connection).tokens.send(Uint8Array.from(bytes));
    await Promise.resolve();
  },
  close(reason: string): number {
    const at = Date.now();
    link.close(reason);
    return at;
  },
  ending: () => ending,
  events: () => events,
  /** Ends the connections under the link without a word, as a browser may whose network is gone. */
  dropConnections(): void {
    for (const connection of liveConnections) connection.close();
  },
  /** A frame every so often, numbered, for so long; how many were sent. */
  async sendSteadily(everyMs: number, forMs: number): Promise<number> {
    const until = performance.now() + forMs;
    let step = 0;
    while (performance.now() < until) {
      link.sendFrame({ ...plainHeader, sequence: 9, step }, new Uint8Array(1200));
      link.sendControl({ step: step++ });
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    return step;
  },
  keepFrames(): void {
    link.onFrame((received, payload) => {
      arrivals.frames.push([received, payload]);
      frameTimes.push(performance.now());
    });
  },
  longestGapMs: () =>
    Math.round(Math.max(...frameTimes.slice(1).map((at, index) => at - frameTimes[index]))),
  /** The steps of frames and of messages, in the order in which they came. */
  steps: () => ({
    frames: arrivals.frames.map(([{ step }]) => step),
    control: arrivals.control.map((message) => (message as { step: number }).step),
  }),
};

/** Every connection that the page makes, for what the transport itself does not offer. */
const liveConnections: RTCPeerConnection[] = [];
let iceTransportPolicy: RTCIceTransportPolicy = 'all';
let networkPath: 'through' | 'answered' | null = null;
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super({ ...configuration, iceTransportPolicy });
    liveConnections.push(this);
  }

  override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    const sdp = networkPath
      ? description.sdp?.replaceAll(/^a=candidate:.*\r\n/gm, '')
      : description.sdp;
    await super.setRemoteDescription({ type: description.type, ...(sdp !== undefined && { sdp }) });
  }

  /** Candidates of the other side: replaced by the test’s path, or unused by the side that only answers. */
  override async addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
    if (networkPath === 'answered') return;
    const parts = candidate?.candidate?.split(' ') ?? [];
    if (networkPath === 'through' && candidate) {
      if (parts[2]?.toLowerCase() !== 'udp' || parts[4]?.includes(':')) return;
      const { address, port } = await throughPath(parts[4], Number(parts[5]));
      parts[4] = address;
      parts[5] = String(port);
      await super.addIceCandidate({ ...candidate, candidate: parts.join(' ') });
      return;
    }
    await super.addIceCandidate(candidate ?? undefined);
  }
};

export type Device = typeof device;

declare global {
  var device: Device;
  /** Of the test: where to send, to reach an address by its network path. */
  function throughPath(address: string, port: number): Promise<{ address: string; port: number }>;
}

globalThis.device = device;

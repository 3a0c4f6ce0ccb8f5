/**
 * A device in a room whose person means ill: a script in its page has hold of the app's own data channels, and says on
 * them whatever it likes beside what the app says. The app itself knows nothing of it. What it learns, it learns as
 * any device of the room could: from what the host tells it.
 */
import type { Page } from 'playwright';
import { encodeFrame, plainHeader } from '../../../src/transport/frame.ts';
import type { FrameHeader } from '../../../src/transport/index.ts';
import type { DeviceMessage, HostMessage } from '../../../src/room/protocol/index.ts';
import type { Stage } from '../../../src/room/index.ts';

/** To be called before the page is opened. */
export async function prepareToAttack(page: Page): Promise<void> {
  await page.addInitScript({ content: script });
}

/** What the script offers in the page. */
interface Hostile {
  /** This device's name in the room, and the lap that it was given layers of last. */
  id: string | null;
  lap: { planVersion: number; stages: Stage[] } | null;
  /** Introductions to the other devices, as the host made them. */
  met: Record<string, HostMessage>;
  /** Its own frames go out so much later. */
  delayMs: number;
  /** Straight onto a channel to that device. */
  send(to: string, messages: number[][]): void;
  /** As a message of its own app's. */
  say(to: string, message: unknown): void;
  /** To its own app, as if that device had said it. */
  pretend(from: string, message: unknown): void;
  /** That its app has made so far, to whomever. */
  readonly connections: number;
  /** What its app sent last to that device, so many times again; how much there was of it. */
  repeat(to: string, times: number): number;
}

declare global {
  var hostile: Hostile;
}

export interface HostileFrame {
  header: Partial<FrameHeader>;
  payload?: Uint8Array;
  /** Of the frame in its sequence. */
  number?: number;
}

/** Frames as the wire has them, in one go; the header is an honest one but for what is changed. */
export async function sendFrames(
  page: Page,
  to: string,
  frames: readonly HostileFrame[],
): Promise<void> {
  const messages = frames.flatMap(({ header, payload = new Uint8Array(), number = 0 }) =>
    encodeFrame({ ...plainHeader, ...header }, payload, { number }),
  );
  await sendBytes(
    page,
    to,
    messages.map((message) => [...message]),
  );
}

export async function sendBytes(page: Page, to: string, messages: number[][]): Promise<void> {
  await page.evaluate(([device, bytes]) => hostile.send(device, bytes), [to, messages] as const);
}

export async function say(page: Page, message: DeviceMessage): Promise<void> {
  await page.evaluate((said) => hostile.say('host', said), message);
}

/** The lap that it was given layers of last, and its own place in it. */
export async function lapOf(page: Page): Promise<{ planVersion: number; stage: number }> {
  return page.evaluate(() => {
    const { lap, id } = hostile;
    if (!lap) throw new Error('this device was given no layers');
    return {
      planVersion: lap.planVersion,
      stage: lap.stages.findIndex(({ device }) => device === id),
    };
  });
}

const script = `{
  const lanes = new Map();
  const fingerprints = new Map();
  const kept = 32;
  let atHost = null;
  const hostile = { id: null, lap: null, met: {}, delayMs: 0 };
  globalThis.hostile = hostile;

  const { createDataChannel } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createDataChannel = function (label, options) {
    const channel = createDataChannel.call(this, label, options);
    const [, name] = /^edgeshard (control|tokens)$/.exec(label) ?? [];
    if (!name) return channel;
    const lane = lanes.get(this) ?? { said: 0, added: 0, heard: 0, pretended: 0, frames: [] };
    lanes.set(this, lane);
    lane[name] = channel;
    channel.lane = lane;
    if (name === 'control')
      channel.addEventListener('message', (event) => listen(this, lane, event));
    return channel;
  };

  /** So that what the other side says counts on from what it was only said to say, and none of it goes unheard. */
  function listen(connection, lane, event) {
    const message = JSON.parse(event.data);
    if (message.kind === 'room' && event.isTrusted && lane.pretended > 0) {
      event.stopImmediatePropagation();
      const number = message.number + lane.pretended;
      lane.control.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ ...message, number }) }));
    } else hear(connection, lane, message);
  }

  function hear(connection, lane, { kind, number, message }) {
    if (kind !== 'room') return;
    lane.heard = number;
    if (message.kind === 'welcome') [hostile.id, atHost] = [message.deviceId, connection];
    if (message.kind === 'connect') {
      fingerprints.set(message.deviceId, message.fingerprint);
      hostile.met[message.deviceId] ??= message;
    }
    if (message.kind === 'deploy') {
      const { planVersion, stages } = message;
      hostile.lap = { planVersion, stages };
    }
  }

  const { send } = RTCDataChannel.prototype;
  RTCDataChannel.prototype.send = function (data) {
    const { lane } = this;
    if (lane?.control === this) return send.call(this, renumbered(lane, data));
    if (lane?.tokens !== this || data[1] !== 0) return send.call(this, data);
    lane.frames = [...lane.frames, data.slice()].slice(-kept);
    if (hostile.delayMs === 0) send.call(this, data);
    else setTimeout(() => send.call(this, data), hostile.delayMs);
  };

  /** So that what the app says counts on from what was said beside it. */
  function renumbered(lane, data) {
    const message = JSON.parse(data);
    if (message.kind !== 'room') return data;
    lane.said = message.number + lane.added;
    return JSON.stringify({ ...message, number: lane.said });
  }

  function laneTo(device) {
    for (const [connection, lane] of lanes) {
      if (lane.control.readyState !== 'open') continue;
      const sdp = connection.remoteDescription?.sdp.replaceAll(':', '').toLowerCase() ?? '';
      if (device === 'host' ? connection === atHost : sdp.includes(fingerprints.get(device))) return lane;
    }
    throw new Error('there is no connection to ' + device);
  }

  Object.defineProperty(hostile, 'connections', { get: () => lanes.size });
  hostile.send = (to, messages) => {
    const { tokens } = laneTo(to);
    for (const message of messages) send.call(tokens, Uint8Array.from(message));
  };
  hostile.say = (to, message) => {
    const lane = laneTo(to);
    lane.added++;
    send.call(lane.control, JSON.stringify({ kind: 'room', number: ++lane.said, message }));
  };
  hostile.pretend = (from, message) => {
    const lane = laneTo(from);
    lane.pretended++;
    const data = JSON.stringify({ kind: 'room', number: lane.heard + 1, message });
    lane.control.dispatchEvent(new MessageEvent('message', { data }));
  };
  hostile.repeat = (to, times) => {
    const { tokens, frames } = laneTo(to);
    for (let time = 0; time < times; time++) for (const frame of frames) send.call(tokens, frame);
    return frames.length;
  };
}`;

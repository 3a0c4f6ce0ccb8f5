/**
 * The channels of a connection, agreed on beforehand (`negotiated`), so that PeerJS's own protocol is never on a
 * frame's path. They exist from the moment that a connection does: whatever the other side says before anyone
 * here listens waits in a small, bounded store.
 */

/** PeerJS's own channel takes the lowest free number; these are far from it. */
const channelIds = { control: 32, tokens: 33, bulk: 34 };
const maxHeldMessages = 256;
const maxHeldBytes = 1024 * 1024;

export type ChannelData = string | ArrayBuffer;

export interface Channel {
  readonly raw: RTCDataChannel;
  /** Sends if the channel is open; else what is said is lost, as is the connection. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** The next message; null once the channel has closed or the signal aborts. */
  next(signal: AbortSignal): Promise<ChannelData | null>;
  /** Hands over every message from here on, beginning with those that wait. */
  listen(callback: (data: ChannelData) => void): void;
}

export interface Channels {
  /** JSON text, in order. */
  control: Channel;
  /** Frames; the order is restored by number, so that one late message holds up no other. */
  tokens: Channel;
  /** Weights and other large things, in order. */
  bulk: Channel;
}

const channelsByConnection = new WeakMap<RTCPeerConnection, Channels>();

/** A connection's channels, made on the first call. */
export function channelsOf(connection: RTCPeerConnection): Channels {
  const known = channelsByConnection.get(connection);
  if (known) return known;
  const channels = {
    control: openChannel(connection, 'control', true),
    tokens: openChannel(connection, 'tokens', false),
    bulk: openChannel(connection, 'bulk', true),
  };
  channelsByConnection.set(connection, channels);
  return channels;
}

function openChannel(
  connection: RTCPeerConnection,
  name: keyof typeof channelIds,
  ordered: boolean,
): Channel {
  const id = channelIds[name];
  const raw = connection.createDataChannel(`edgeshard ${name}`, { negotiated: true, id, ordered });
  raw.binaryType = 'arraybuffer';
  const held: ChannelData[] = [];
  let heldBytes = 0;

  raw.onmessage = ({ data }: MessageEvent<ChannelData>) => {
    held.push(data);
    heldBytes += sizeOf(data);
    // An honest device says little before it was let in.
    if (held.length > maxHeldMessages || heldBytes > maxHeldBytes) connection.close();
  };

  function takeHeld(): ChannelData | undefined {
    const data = held.shift();
    if (data !== undefined) heldBytes -= sizeOf(data);
    return data;
  }

  function next(signal: AbortSignal): Promise<ChannelData | null> {
    return new Promise((resolve) => {
      const watch = new AbortController();
      const look = (): void => {
        // Node may have lost the listener's removal to a garbage collection: such a call would take the message that
        // the next caller waits for.
        if (watch.signal.aborted) return;
        const over = raw.readyState === 'closed' || signal.aborted;
        const data = takeHeld() ?? (over ? null : undefined);
        if (data === undefined) return;
        watch.abort();
        resolve(data);
      };
      look();
      if (watch.signal.aborted) return;
      raw.addEventListener('message', look, { signal: watch.signal });
      raw.addEventListener('close', look, { signal: watch.signal });
      signal.addEventListener('abort', look, { signal: watch.signal });
    });
  }

  return {
    raw,
    next,
    send(data) {
      if (raw.readyState !== 'open') return;
      if (typeof data === 'string') raw.send(data);
      else raw.send(data);
    },
    listen(callback) {
      raw.onmessage = ({ data }: MessageEvent<ChannelData>) => callback(data);
      for (let data = takeHeld(); data !== undefined; data = takeHeld()) callback(data);
    },
  };
}

function sizeOf(data: ChannelData): number {
  return typeof data === 'string' ? data.length : data.byteLength;
}

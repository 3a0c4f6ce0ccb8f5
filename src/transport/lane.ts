/** One proven connection of a link, and what passes over its channels. */
import { closeAfterLastWord } from './admit.ts';
import { createBulkReceiver, type BurstReport } from './bulk-piece.ts';
import { createBulkSender, type BulkSender } from './bulk-sender.ts';
import { channelsOf, type Channel, type ChannelData } from './channels.ts';
import type { EmulatedNetwork } from './emulated-network.ts';
import { LinkError } from './link-error.ts';
import type { LinkStats } from './types.ts';

export interface Lane {
  readonly connection: RTCPeerConnection;
  /** Whether what is said now has a way out; false once the connection is over. */
  readonly isOpen: boolean;
  /** Hands over what comes from here on, beginning with what waits. */
  listen(): void;
  sendControl(text: string): void;
  /** Past the emulated network: for a goodbye, which is not held up. */
  sendLastWord(text: string): void;
  sendSlice(message: Uint8Array<ArrayBuffer>): void;
  readonly bulk: BulkSender;
  /** Ends the connection. `onGone` is not called for it. */
  close(): void;
}

export interface LaneOptions {
  network: EmulatedNetwork;
  stats: LinkStats;
  inbox: LaneInbox;
  watch: LaneWatch;
}

/** What comes over a connection. */
export interface LaneInbox {
  onControl: (data: ChannelData) => void;
  onSlice: (message: Uint8Array<ArrayBuffer>, by: Lane) => void;
  /** The number of the large message that is waited for. */
  bulkDue: () => number;
  onBulk: (bytes: Uint8Array<ArrayBuffer>) => void;
  onBurst: (report: BurstReport) => void;
  /** The other side broke the rules. */
  onMisbehaved: (error: LinkError) => void;
}

/** What becomes of the connection itself. */
export interface LaneWatch {
  /** The network path seems broken; it may come back. */
  onDoubt: () => void;
  /** The connection came to an end that this side did not ask for. */
  onGone: () => void;
}

export function createLane(connection: RTCPeerConnection, options: LaneOptions): Lane {
  const { network, stats, inbox, watch } = options;
  const { control, tokens, bulk } = channelsOf(connection);
  const ending = new AbortController();
  const { signal } = ending;
  const bulkSender = createBulkSender({
    channel: bulk.raw,
    send: network.through(
      (piece) => {
        stats.bytesSent += piece.length;
        bulk.send(piece);
      },
      { ordered: true },
    ),
    room: () => network.room(),
    maxMessageBytes: connection.sctp?.maxMessageSize ?? 65_536,
  });
  const bulkReceiver = createBulkReceiver({
    due: inbox.bulkDue,
    onMessage: inbox.onBulk,
    onBurst: inbox.onBurst,
  });

  function receive(channel: Channel, take: (data: ChannelData) => void): void {
    channel.listen((data) => {
      if (signal.aborted) return;
      try {
        take(data);
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        inbox.onMisbehaved(error);
      }
    });
  }

  function stop(): boolean {
    if (signal.aborted) return false;
    ending.abort();
    bulkSender.close();
    return true;
  }

  function listen(): void {
    receive(control, inbox.onControl);
    receive(tokens, (data) => inbox.onSlice(bytesIn(data), lane));
    receive(bulk, (data) => {
      const piece = bytesIn(data);
      stats.bytesReceived += piece.length;
      bulkReceiver.receive(piece);
    });
  }

  const lane: Lane = {
    connection,
    listen,
    get isOpen() {
      return !signal.aborted && tokens.raw.readyState === 'open';
    },
    sendControl: network.through<string>((text) => control.send(text), { ordered: true }),
    sendLastWord: (text) => control.send(text),
    sendSlice: network.through((message) => tokens.send(message), { ordered: false }),
    bulk: bulkSender,
    close() {
      if (stop()) closeAfterLastWord(connection);
    },
  };

  control.raw.addEventListener(
    'close',
    () => {
      if (stop()) watch.onGone();
    },
    { signal },
  );
  connection.addEventListener(
    'connectionstatechange',
    () => {
      const { connectionState } = connection;
      if (connectionState === 'disconnected' || connectionState === 'failed') watch.onDoubt();
    },
    { signal },
  );
  return lane;
}

function bytesIn(data: ChannelData): Uint8Array<ArrayBuffer> {
  if (typeof data !== 'string') return new Uint8Array(data);
  throw new LinkError('bad-message', 'The other device sent text where bytes were due.');
}

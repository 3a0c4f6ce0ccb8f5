/** A link: everything that two devices, once proven to each other, say over one connection. */
import { admit, closeAfterLastWord } from './admit.ts';
import { createAllowance } from './allowance.ts';
import { createBulkReceiver, type BurstReport } from './bulk-piece.ts';
import { createBulkSender } from './bulk-sender.ts';
import { channelsOf, type Channel, type ChannelData } from './channels.ts';
import { createEmulatedNetwork } from './emulated-network.ts';
import { createEvent } from './event.ts';
import { createFramePort } from './frame-port.ts';
import { createHeartbeat } from './heartbeat.ts';
import { LinkError } from './link-error.ts';
import { decodeLinkMessage, encodeLinkMessage, type LinkMessage } from './link-message.ts';
import { measureLink } from './measure-link.ts';
import type { CloseCause, Link, LinkStats, OpenLinkOptions } from './types.ts';

/** Bytes of a ping's payload: as a token's, so that the time says something about one. */
const pingBytes = 1200;
const pingDeadlineMs = 2000;
const measureDeadlineMs = 15_000;
/** Messages, not bytes: far more than a room says, far less than keeps a device from computing. */
const controlAllowance = { burst: 1000, perSecond: 200 };

/**
 * Turns a connection that signalling made into a link: waits for the network path, then has both sides prove that
 * they hold the room key and are who they should be. Rejects with a `LinkError` whose sentence says what to do.
 */
export async function openLink(
  connection: RTCPeerConnection,
  options: OpenLinkOptions,
): Promise<Link> {
  const fingerprint = await admit(connection, options);
  return createLink(connection, fingerprint, options);
}

function createLink(
  connection: RTCPeerConnection,
  fingerprint: string,
  { peerId, silenceMs = 4000 }: OpenLinkOptions,
): Link {
  const { control, tokens, bulk } = channelsOf(connection);
  const stats: LinkStats = {
    framesSent: 0,
    framesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    duplicateSlices: 0,
    roundTripMs: null,
  };
  const controlled = createEvent<Parameters<Parameters<Link['onControl']>[0]>>();
  const framed = createEvent<Parameters<Parameters<Link['onFrame']>[0]>>();
  const delivered = createEvent<Parameters<Parameters<Link['onBulk']>[0]>>();
  const closed = createEvent<[reason: string, cause: CloseCause]>();
  const mayControl = createAllowance(controlAllowance);
  const ending = new AbortController();
  const awaitedBursts: ((report: BurstReport) => void)[] = [];

  const network = createEmulatedNetwork();
  const sendText = network.through<string>((text) => control.send(text), { ordered: true });
  const say = (message: LinkMessage): void => sendText(encodeLinkMessage(message));
  const framePort = createFramePort({
    send: network.through((message) => tokens.send(message), { ordered: false }),
    onFrame: (header, payload) => {
      bulkSender.frameSeen();
      framed.emit(header, payload);
    },
    stats,
  });
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
    onMessage: (bytes) => delivered.emit(bytes),
    onBurst: (report) => say({ kind: 'burst', ...report }),
  });
  const heartbeat = createHeartbeat({
    deadlineMs: silenceMs,
    ask: () => say({ kind: 'beat' }),
    onSilence: (silentMs) =>
      end(silent(silentMs), 'silent', 'nothing was heard from this device for a while'),
  });

  function end(reason: string, cause: CloseCause, lastWord?: string): void {
    if (ending.signal.aborted) return;
    ending.abort();
    heartbeat.stop();
    network.close();
    // Past the emulated network: a goodbye is not held up.
    if (lastWord !== undefined)
      control.send(encodeLinkMessage({ kind: 'bye', reason: lastWord.slice(0, 1000) }));
    framePort.close();
    bulkSender.close();
    closeAfterLastWord(connection);
    closed.emit(reason, cause);
  }

  function receive(channel: Channel, take: (data: ChannelData) => void): void {
    channel.listen((data) => {
      if (ending.signal.aborted) return;
      heartbeat.heard();
      try {
        take(data);
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        end(error.message, 'misbehaved', 'this device sent something that breaks the protocol');
      }
    });
  }

  function takeControl(message: LinkMessage): void {
    switch (message.kind) {
      case 'room':
        controlled.emit(message.message);
        break;
      case 'beat':
        say({ kind: 'beat back' });
        break;
      case 'beat back':
        break;
      case 'bye':
        end(`The other device said goodbye: ${message.reason}`, 'left');
        break;
      case 'burst':
        awaitedBursts.shift()?.({ bytes: message.bytes, tookMs: message.tookMs });
        break;
    }
  }

  function burst(bytes: number): Promise<BurstReport> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(burstLost()), measureDeadlineMs);
      awaitedBursts.push((report) => {
        clearTimeout(timer);
        resolve(report);
      });
      bulkSender.send(new Uint8Array(bytes), 'burst').catch(reject);
    });
  }

  function requireOpen(): void {
    if (ending.signal.aborted)
      throw new LinkError('closed', 'The link to that device has ended: it has to be made anew.');
  }

  receive(control, (data) => {
    if (!mayControl.take(1)) throw tooTalkative();
    takeControl(decodeLinkMessage(data));
  });
  receive(tokens, (data) => framePort.receive(bytesIn(data)));
  receive(bulk, (data) => {
    const piece = bytesIn(data);
    stats.bytesReceived += piece.length;
    bulkReceiver.receive(piece);
  });
  watchEnd(connection, control, ending.signal, end);

  return {
    peerId,
    fingerprint,
    stats,
    sendControl(message) {
      requireOpen();
      say({ kind: 'room', message });
    },
    onControl: controlled.on,
    sendFrame(header, payload) {
      requireOpen();
      bulkSender.frameSeen();
      framePort.send(header, payload);
    },
    onFrame: framed.on,
    async sendBulk(bytes) {
      requireOpen();
      await bulkSender.send(bytes);
    },
    onBulk: delivered.on,
    async ping(deadlineMs = pingDeadlineMs) {
      stats.roundTripMs = await framePort.roundTrip(pingBytes, deadlineMs);
      return stats.roundTripMs;
    },
    async measure() {
      requireOpen();
      const roundTrip = (bytes: number): Promise<number> =>
        framePort.roundTrip(bytes, measureDeadlineMs);
      const profile = await measureLink({ roundTrip, burst });
      stats.roundTripMs = 2 * profile.latencyMs;
      return profile;
    },
    setSilenceDeadline: (deadlineMs) => heartbeat.setDeadline(deadlineMs),
    emulate: (emulation) => void (network.emulation = emulation),
    get emulation() {
      return network.emulation;
    },
    close: (reason) => end(reason, 'closed', reason),
    onClosed: closed.on,
  };
}

/** Ends the link when the connection does, or the page. */
function watchEnd(
  connection: RTCPeerConnection,
  control: Channel,
  signal: AbortSignal,
  end: (reason: string, cause: CloseCause, lastWord?: string) => void,
): void {
  connection.addEventListener(
    'connectionstatechange',
    () => {
      if (connection.connectionState === 'failed')
        end('The network path to the other device broke and did not come back.', 'lost');
    },
    { signal },
  );
  control.raw.addEventListener(
    'close',
    () => end('The other device ended the connection without a word.', 'lost'),
    { signal },
  );
  addEventListener(
    'pagehide',
    () => end('This page was closed.', 'closed', 'its page was closed'),
    {
      signal,
    },
  );
}

function bytesIn(data: ChannelData): Uint8Array<ArrayBuffer> {
  if (typeof data !== 'string') return new Uint8Array(data);
  throw new LinkError('bad-message', 'The other device sent text where bytes were due.');
}

function tooTalkative(): LinkError {
  return new LinkError(
    'bad-message',
    'The other device sent more messages than any honest one would, so the link to it was ended.',
  );
}

function silent(silentMs: number): string {
  return `Nothing was heard from the other device for ${(silentMs / 1000).toFixed(1)} s: its page may have crashed, fallen asleep or lost the network.`;
}

function burstLost(): LinkError {
  return new LinkError('timeout', 'The other device did not report a bandwidth test in time.');
}

/** A link: everything that two devices, once proven to each other, say, over however many connections. */
import { admit } from './admit.ts';
import { createEvent } from './event.ts';
import { linkEnded } from './link-endings.ts';
import { encodeLinkMessage } from './link-message.ts';
import { originOf } from './link-origin.ts';
import { createLinkParts } from './link-parts.ts';
import { measureLink } from './measure-link.ts';
import { makePeerId } from './signalling.ts';
import type { CloseCause, Link, OpenLinkOptions } from './types.ts';

/** Bytes of a ping's payload: as a token's, so that the time says something about one. */
const pingBytes = 1200;
const pingDeadlineMs = 2000;
const measureDeadlineMs = 15_000;
/** Whatever a connection held back longer than this, its silence would have been noticed. */
const keepSentMs = 30_000;
const tendEveryMs = 1000;

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
  firstConnection: RTCPeerConnection,
  fingerprint: string,
  options: OpenLinkOptions,
): Link {
  const { peerId, silenceMs = 4000, resumeMs = 15_000 } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const closed = createEvent<[reason: string, cause: CloseCause]>();
  const origin = originOf(firstConnection, fingerprint, options);
  const deadlines = { pingMs: pingDeadlineMs, measureMs: measureDeadlineMs };
  const parts = createLinkParts(firstConnection, {
    origin,
    silenceMs,
    resumeMs,
    deadlines,
    signal,
    end,
  });
  const { framePort, network, lanes, routes, roomMessages, bulkQueue, heartbeat, stats } = parts;
  const tending = setInterval(tend, tendEveryMs);

  function tend(): void {
    if (parts.continuity.isHeld) return;
    parts.outbox.forget(keepSentMs);
    routes.tend();
  }

  function end(reason: string, cause: CloseCause, lastWord?: string): void {
    if (signal.aborted) return;
    ending.abort();
    clearInterval(tending);
    heartbeat.stop();
    parts.recovery?.close();
    network.close();
    if (lastWord !== undefined)
      lanes.primary.sendLastWord(
        encodeLinkMessage({ kind: 'bye', reason: lastWord.slice(0, 1000) }),
      );
    framePort.close();
    bulkQueue.close();
    lanes.bundle.close();
    lanes.primary.close();
    closed.emit(reason, cause);
  }

  function requireOpen(): void {
    if (signal.aborted) throw linkEnded();
  }

  lanes.listen();
  if (origin.dialled && parts.recovery) {
    const topic = makePeerId();
    parts.recovery.listen(topic);
    lanes.say({ kind: 'way back', topic });
  }
  addEventListener(
    'pagehide',
    () => end('This page was closed.', 'closed', 'its page was closed'),
    { signal },
  );

  return {
    peerId,
    fingerprint,
    stats,
    sendControl(message) {
      if (!signal.aborted) roomMessages.send(message);
    },
    onControl: roomMessages.on,
    sendFrame(header, payload) {
      if (signal.aborted) return;
      routes.giveWay();
      framePort.send(header, payload);
      routes.frameSent(payload.length);
    },
    onFrame: parts.onFrame,
    async sendBulk(bytes) {
      requireOpen();
      await bulkQueue.send(bytes);
    },
    onBulk: parts.inbox.onDelivered,
    ping: (deadlineMs = pingDeadlineMs) => framePort.roundTrip(pingBytes, deadlineMs),
    async measure() {
      requireOpen();
      const roundTrip = (bytes: number): Promise<number> =>
        framePort.roundTrip(bytes, measureDeadlineMs);
      const profile = await measureLink({ roundTrip, burst: (bytes) => parts.bursts.send(bytes) });
      stats.roundTripMs = 2 * profile.latencyMs;
      return profile;
    },
    onInterrupted: parts.continuity.onInterrupted,
    onResumed: parts.continuity.onResumed,
    setSilenceDeadline: (deadlineMs) => heartbeat.setDeadline(deadlineMs),
    emulate: (emulation) => void (network.emulation = emulation),
    get emulation() {
      return network.emulation;
    },
    close: (reason) => end(reason, 'closed', reason),
    onClosed: closed.on,
  };
}

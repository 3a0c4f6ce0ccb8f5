/** A link: everything that two devices, once proven to each other, say, over however many connections. */
import { admit } from './admit.ts';
import { createAllowance } from './allowance.ts';
import { createBulkQueue } from './bulk-queue.ts';
import { createBundle } from './bundle.ts';
import { createBursts } from './bursts.ts';
import { createEmulatedNetwork } from './emulated-network.ts';
import { createEvent } from './event.ts';
import { createFramePort } from './frame-port.ts';
import { createHeartbeat } from './heartbeat.ts';
import { introductionOf } from './introduction.ts';
import { createLane, type Lane } from './lane.ts';
import {
  connectionBroke,
  linkEnded,
  pathLost,
  silent,
  tooMuchLost,
  tooTalkative,
} from './link-endings.ts';
import {
  decodeLinkMessage,
  encodeLinkMessage,
  type Have,
  type LinkMessage,
} from './link-message.ts';
import { newLinkStats } from './link-stats.ts';
import { measureLink } from './measure-link.ts';
import { createOutbox, listDue } from './outbox.ts';
import { watchPath } from './path-watch.ts';
import { createRecovery } from './recovery.ts';
import { createRoomMessages } from './room-messages.ts';
import { createRoutes } from './routes.ts';
import { makePeerId } from './signalling.ts';
import type { CloseCause, FrameHeader, Link, OpenLinkOptions } from './types.ts';

/** Bytes of a ping's payload: as a token's, so that the time says something about one. */
const pingBytes = 1200;
const pingDeadlineMs = 2000;
const measureDeadlineMs = 15_000;
/**
 * Messages, not bytes: far more than a room says, far less than keeps a device from computing. Measured: a device
 * says 8 a second while it joins and next to nothing later; a host up to 80, when it streams four answers to it.
 */
const controlAllowance = { burst: 1000, perSecond: 200 };
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
  const dialled = firstConnection.localDescription?.type === 'offer';
  const introduction = introductionOf(firstConnection);
  const admission = { ...options, expectedFingerprint: fingerprint };
  const stats = newLinkStats();
  const framed = createEvent<[header: FrameHeader, payload: Uint8Array<ArrayBuffer>]>();
  const delivered = createEvent<[bytes: Uint8Array<ArrayBuffer>]>();
  const interrupted = createEvent<[reason: string]>();
  const resumed = createEvent<[tookMs: number]>();
  const closed = createEvent<[reason: string, cause: CloseCause]>();
  const mayControl = createAllowance(controlAllowance);
  const ending = new AbortController();
  let bulkReceived = 0;
  /** When the connection broke: until the two have told each other what they have, nothing new is sent. */
  let heldSince: number | null = null;

  const network = createEmulatedNetwork();
  const outbox = createOutbox();
  const roomMessages = createRoomMessages({
    outbox,
    connection: () => (heldSince === null ? primary : null),
  });
  const say = (message: LinkMessage): void => primary.sendControl(encodeLinkMessage(message));

  const bundle = createBundle({
    introduction,
    dialled,
    admission,
    say,
    makeLane: (connection, onGone) => makeLane(connection, { onDoubt: onGone, onGone }),
    onChange(change) {
      if (change === 'gone' && heldSince === null) say(whatIsHere({ ask: true }));
      routes.changed();
    },
  });
  const framePort = createFramePort({
    send: (slices, over) => routes.send(slices, over),
    onFrame: (header, payload) => {
      routes.giveWay();
      framed.emit(header, payload);
      if (!ending.signal.aborted) routes.frameCame();
    },
    outbox,
    stats,
  });
  const routes = createRoutes({
    primary: () => primary,
    bundle,
    isHeld: () => heldSince !== null,
    roundTrip: (bytes, echo) => framePort.roundTrip(bytes, pingDeadlineMs, echo),
    stats,
  });
  const bulkQueue = createBulkQueue((bytes) => routes.bulkLane(bytes));
  const bursts = createBursts((bytes) => primary.bulk.send(bytes, 'burst', 0), measureDeadlineMs);
  const heartbeat = createHeartbeat({
    deadlineMs: silenceMs,
    ask: () => say({ kind: 'beat' }),
    onDoubt: () => recovery?.doubt(),
    onSilence: (silentMs) => {
      const cause = primary.isOpen ? 'silent' : 'lost';
      end(silent(silentMs), cause, 'nothing was heard from this device for a while');
    },
  });
  const recovery =
    introduction &&
    createRecovery({
      introduction,
      dialled,
      admission,
      resumeMs,
      connection: () => primary.connection,
      onInterrupted: interrupt,
      ask: () => say({ kind: 'beat' }),
      onPath: () => say(whatIsHere({ ask: true })),
      onConnection(connection) {
        primary.close();
        primary = makeLane(connection, primaryWatch);
        primary.listen();
        watch(connection);
        routes.changed();
      },
      onGivenUp: () => end(pathLost, 'lost', 'the network path to it did not come back'),
    });
  const primaryWatch = { onDoubt, onGone: onDoubt };
  let primary = makeLane(firstConnection, primaryWatch);
  const tending = setInterval(tend, tendEveryMs);

  function makeLane(
    connection: RTCPeerConnection,
    watch: { onDoubt: () => void; onGone: () => void },
  ): Lane {
    return createLane(connection, {
      ...watch,
      network,
      stats,
      onControl(data) {
        hear();
        if (!mayControl.take(1)) throw tooTalkative();
        takeControl(decodeLinkMessage(data));
      },
      onSlice(message, by) {
        hear();
        framePort.receive(message, by);
      },
      bulkDue: () => bulkReceived,
      onBulk(bytes) {
        hear();
        bulkReceived++;
        say({ kind: 'bulk here', count: bulkReceived });
        delivered.emit(bytes);
      },
      onBurst: (report) => say({ kind: 'burst', ...report }),
      onMisbehaved: (error) =>
        end(error.message, 'misbehaved', 'this device sent something that breaks the protocol'),
    });
  }

  function watch(connection: RTCPeerConnection): void {
    watchPath(connection, (isRelayed) => (stats.relayed = isRelayed), ending.signal);
  }

  function hear(): void {
    heartbeat.heard();
    recovery?.heard();
  }

  function takeControl(message: LinkMessage): void {
    switch (message.kind) {
      case 'room':
        roomMessages.take(message);
        return;
      case 'beat':
        say({ kind: 'beat back' });
        return;
      case 'beat back':
        return;
      case 'bye':
        end(`The other device said goodbye: ${message.reason}`, 'left');
        return;
      case 'burst':
        bursts.reported(message);
        return;
      case 'have':
        sendRest(message);
        return;
      case 'bulk here':
        bulkQueue.received(message.count);
        return;
      case 'way back':
        if (!dialled) recovery?.listen(message.topic);
        return;
      case 'lanes wanted':
        bundle.otherWants(message);
        return;
      case 'lane':
        bundle.receive(message);
        return;
    }
  }

  function onDoubt(): void {
    if (recovery) recovery.doubt();
    else if (primary.connection.connectionState !== 'disconnected') end(pathLost, 'lost');
  }

  function interrupt(): void {
    if (heldSince !== null || ending.signal.aborted) return;
    heldSince = performance.now();
    heartbeat.rest(true);
    bundle.drop();
    interrupted.emit(connectionBroke);
  }

  function whatIsHere({ ask }: { ask: boolean }): Have {
    const messages = roomMessages.received();
    return { kind: 'have', messages, bulk: bulkReceived, due: listDue(framePort.due), ask };
  }

  /** The other side says what it has: it gets the rest, and if the link was held, all is well again. */
  function sendRest(have: Have): void {
    const lacking = outbox.takeLacking(have, primary);
    if (!lacking) {
      end(tooMuchLost, 'lost', 'more was lost with the connection than could be sent again');
      return;
    }
    if (have.ask) say(whatIsHere({ ask: false }));
    bulkQueue.received(have.bulk);
    for (const text of lacking.messages) primary.sendControl(text);
    for (const slice of lacking.slices) primary.sendSlice(slice);
    stats.resentSlices += lacking.slices.length;
    if (heldSince !== null) release(heldSince);
    bulkQueue.resume();
  }

  function release(since: number): void {
    const tookMs = performance.now() - since;
    heldSince = null;
    stats.interruptions++;
    stats.lastInterruptionMs = tookMs;
    recovery?.resumed();
    heartbeat.rest(false);
    resumed.emit(tookMs);
  }

  function tend(): void {
    if (heldSince !== null) return;
    outbox.forget(keepSentMs);
    routes.tend();
  }

  function end(reason: string, cause: CloseCause, lastWord?: string): void {
    if (ending.signal.aborted) return;
    ending.abort();
    clearInterval(tending);
    heartbeat.stop();
    recovery?.close();
    network.close();
    if (lastWord !== undefined)
      primary.sendLastWord(encodeLinkMessage({ kind: 'bye', reason: lastWord.slice(0, 1000) }));
    framePort.close();
    bulkQueue.close();
    bundle.close();
    primary.close();
    closed.emit(reason, cause);
  }

  function requireOpen(): void {
    if (ending.signal.aborted) throw linkEnded();
  }

  primary.listen();
  watch(firstConnection);
  if (dialled && recovery) {
    const topic = makePeerId();
    recovery.listen(topic);
    say({ kind: 'way back', topic });
  }
  addEventListener(
    'pagehide',
    () => end('This page was closed.', 'closed', 'its page was closed'),
    {
      signal: ending.signal,
    },
  );

  return {
    peerId,
    fingerprint,
    stats,
    sendControl(message) {
      if (!ending.signal.aborted) roomMessages.send(message);
    },
    onControl: roomMessages.on,
    sendFrame(header, payload) {
      if (ending.signal.aborted) return;
      routes.giveWay();
      framePort.send(header, payload);
      routes.frameSent(payload.length);
    },
    onFrame: framed.on,
    async sendBulk(bytes) {
      requireOpen();
      await bulkQueue.send(bytes);
    },
    onBulk: delivered.on,
    ping: (deadlineMs = pingDeadlineMs) => framePort.roundTrip(pingBytes, deadlineMs),
    async measure() {
      requireOpen();
      const roundTrip = (bytes: number): Promise<number> =>
        framePort.roundTrip(bytes, measureDeadlineMs);
      const profile = await measureLink({ roundTrip, burst: (bytes) => bursts.send(bytes) });
      stats.roundTripMs = 2 * profile.latencyMs;
      return profile;
    },
    onInterrupted: interrupted.on,
    onResumed: resumed.on,
    setSilenceDeadline: (deadlineMs) => heartbeat.setDeadline(deadlineMs),
    emulate: (emulation) => void (network.emulation = emulation),
    get emulation() {
      return network.emulation;
    },
    close: (reason) => end(reason, 'closed', reason),
    onClosed: closed.on,
  };
}

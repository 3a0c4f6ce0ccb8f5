/** A link: everything that two devices, once proven to each other, say, over however many connections. */
import { admit } from './admit.ts';
import { createAllowance } from './allowance.ts';
import type { BurstReport } from './bulk-piece.ts';
import { createBulkQueue } from './bulk-queue.ts';
import { createBundle } from './bundle.ts';
import { createEmulatedNetwork } from './emulated-network.ts';
import { createEvent } from './event.ts';
import { createFramePort, type Slice } from './frame-port.ts';
import { createHeartbeat } from './heartbeat.ts';
import { introductionOf } from './introduction.ts';
import { createLane, type Lane } from './lane.ts';
import { LinkError } from './link-error.ts';
import {
  decodeLinkMessage,
  encodeLinkMessage,
  type Have,
  type LinkMessage,
} from './link-message.ts';
import { measureLink } from './measure-link.ts';
import { createOutbox, listDue } from './outbox.ts';
import { createProbes } from './probes.ts';
import { createRecovery } from './recovery.ts';
import { createSendPolicy } from './send-policy.ts';
import { makePeerId } from './signalling.ts';
import type { CloseCause, FrameHeader, Link, LinkStats, OpenLinkOptions } from './types.ts';

/** Bytes of a ping's payload: as a token's, so that the time says something about one. */
const pingBytes = 1200;
const pingDeadlineMs = 2000;
const measureDeadlineMs = 15_000;
/** Messages, not bytes: far more than a room says, far less than keeps a device from computing. */
const controlAllowance = { burst: 1000, perSecond: 200 };
/** Whatever a connection held back longer than this, its silence would have been noticed. */
const keepSentMs = 30_000;
const tendEveryMs = 1000;
/** Frames of so many slices, a token's hidden state, are small. */
const smallSlices = 2;
/** Large messages from here on get a connection of their own, if it comes in time; it stays while it is used. */
const ownConnectionBytes = 64 * 1024;
const ownConnectionMs = 2500;
const ownConnectionIdleMs = 20_000;

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
  const stats = newStats();
  const controlled = createEvent<[message: unknown]>();
  const framed = createEvent<[header: FrameHeader, payload: Uint8Array<ArrayBuffer>]>();
  const delivered = createEvent<[bytes: Uint8Array<ArrayBuffer>]>();
  const interrupted = createEvent<[reason: string]>();
  const resumed = createEvent<[tookMs: number]>();
  const closed = createEvent<[reason: string, cause: CloseCause]>();
  const mayControl = createAllowance(controlAllowance);
  const ending = new AbortController();
  const awaitedBursts: ((report: BurstReport) => void)[] = [];
  let received = { messages: 0, bulk: 0 };
  /** When the connection broke: until the two have told each other what they have, nothing new is sent. */
  let heldSince: number | null = null;
  let bulkSentAt = -Infinity;
  let decision = { twice: false, striped: false, furtherLanes: 0 };

  const network = createEmulatedNetwork();
  const outbox = createOutbox();
  const policy = createSendPolicy();
  const say = (message: LinkMessage): void => primary.sendControl(encodeLinkMessage(message));

  const bundle = createBundle({
    introduction,
    dialled,
    admission,
    say,
    makeLane: (connection, onGone) => makeLane(connection, { onDoubt: onGone, onGone }),
    onChange(change) {
      countConnections();
      if (change === 'gone' && heldSince === null) say(whatIsHere({ ask: true }));
      if (change === 'opened') probes.tryStriping();
    },
  });
  const framePort = createFramePort({
    send: (slices, over) => sendSlices(slices, over),
    onFrame: (header, payload) => {
      giveWay();
      framed.emit(header, payload);
    },
    outbox,
    stats,
  });
  const probes = createProbes({
    policy,
    lanes: tokenLanes,
    roundTrip: (bytes, echo) => framePort.roundTrip(bytes, pingDeadlineMs, echo),
    onMeasured: decide,
  });
  const bulkQueue = createBulkQueue(bulkLane);
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
        countConnections();
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
      bulkDue: () => received.bulk,
      onBulk(bytes) {
        hear();
        received = { ...received, bulk: received.bulk + 1 };
        say({ kind: 'bulk here', count: received.bulk });
        delivered.emit(bytes);
      },
      onBurst: (report) => say({ kind: 'burst', ...report }),
      onMisbehaved: (error) =>
        end(error.message, 'misbehaved', 'this device sent something that breaks the protocol'),
    });
  }

  function hear(): void {
    heartbeat.heard();
    recovery?.heard();
  }

  function takeControl(message: LinkMessage): void {
    switch (message.kind) {
      case 'room':
        takeRoomMessage(message);
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
        awaitedBursts.shift()?.({ bytes: message.bytes, tookMs: message.tookMs });
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

  function takeRoomMessage({ number, message }: Extract<LinkMessage, { kind: 'room' }>): void {
    if (number <= received.messages) return;
    if (number > received.messages + 1) throw messageMissing();
    received = { ...received, messages: number };
    controlled.emit(message);
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
    interrupted.emit('The connection to the other device broke; it is being made anew.');
  }

  function whatIsHere({ ask }: { ask: boolean }): Have {
    return { kind: 'have', ...received, due: listDue(framePort.due), ask };
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

  function tokenLanes(): Lane[] {
    return [primary, ...bundle.tokens];
  }

  function sendSlices(slices: readonly Slice[], over?: readonly Lane[]): readonly Lane[] {
    if (heldSince !== null) return [];
    const isSmall = slices.length <= smallSlices;
    const all = over ?? tokenLanes();
    if (isSmall && over === undefined && decision.twice) {
      // The first is answerable for the frame; should it end, the frame goes again all the same.
      for (const lane of all.slice(0, 2)) for (const slice of slices) sendSlice(lane, slice);
      return all.slice(0, 1);
    }
    const lanes = !isSmall && (over !== undefined || decision.striped) ? all : all.slice(0, 1);
    slices.forEach((slice, index) => sendSlice(lanes[index % lanes.length], slice));
    return lanes;
  }

  function sendSlice(lane: Lane, slice: Slice): void {
    stats.bytesSent += slice.length;
    lane.sendSlice(slice);
  }

  async function bulkLane(bytes: number): Promise<Lane> {
    if (bytes < ownConnectionBytes || !introduction || heldSince !== null) return primary;
    bulkSentAt = performance.now();
    wantLanes();
    if (!bundle.bulk) await bundle.bulkSettled(ownConnectionMs);
    return bundle.bulk ?? primary;
  }

  /** Frames go by: large messages are to give way for a while. */
  function giveWay(): void {
    for (const lane of tokenLanes()) lane.bulk.frameSeen();
    bundle.bulk?.bulk.frameSeen();
  }

  function decide(): void {
    decision = policy.decide();
    const { quality } = policy;
    stats.quality = quality;
    stats.roundTripMs = quality.p50Ms;
    stats.sendsTwice = decision.twice && bundle.tokens.length > 0;
    stats.striped = decision.striped && bundle.tokens.length > 0;
    wantLanes();
  }

  function wantLanes(): void {
    const bulkBusy = performance.now() - bulkSentAt < ownConnectionIdleMs;
    bundle.want({ tokens: decision.furtherLanes, bulk: bulkBusy ? 1 : 0 });
  }

  function tend(): void {
    if (heldSince !== null) return;
    outbox.forget(keepSentMs);
    if (policy.quality.samples > 0) decide();
    else wantLanes();
    probes.tryStriping();
  }

  function countConnections(): void {
    stats.connections = 1 + bundle.tokens.length + (bundle.bulk ? 1 : 0);
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

  function burst(bytes: number): Promise<BurstReport> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(burstLost()), measureDeadlineMs);
      awaitedBursts.push((report) => {
        clearTimeout(timer);
        resolve(report);
      });
      primary.bulk.send(new Uint8Array(bytes), 'burst', 0).catch(reject);
    });
  }

  function requireOpen(): void {
    if (ending.signal.aborted)
      throw new LinkError('closed', 'The link to that device has ended: it has to be made anew.');
  }

  primary.listen();
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
      requireOpen();
      const number = outbox.numberMessage();
      const text = encodeLinkMessage({ kind: 'room', number, message });
      outbox.keepMessage(number, text, heldSince === null ? [primary] : []);
      if (heldSince === null) primary.sendControl(text);
    },
    onControl: controlled.on,
    sendFrame(header, payload) {
      requireOpen();
      giveWay();
      framePort.send(header, payload);
      policy.sawFrame(payload.length);
      if (heldSince === null) probes.frameSent();
    },
    onFrame: framed.on,
    async sendBulk(bytes) {
      requireOpen();
      await bulkQueue.send(bytes);
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

function newStats(): LinkStats {
  return {
    framesSent: 0,
    framesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    duplicateSlices: 0,
    roundTripMs: null,
    quality: null,
    sendsTwice: false,
    striped: false,
    connections: 1,
    interruptions: 0,
    lastInterruptionMs: null,
    resentSlices: 0,
  };
}

const pathLost = 'The network path to the other device broke and did not come back.';
const tooMuchLost =
  'The network path to the other device broke, and more was lost with it than could be sent again.';

function messageMissing(): LinkError {
  return new LinkError(
    'bad-message',
    'The other device left out one of its messages, so the link to it was ended.',
  );
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

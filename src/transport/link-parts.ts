/** The parts of a link, made and tied to each other: where two need each other, one reaches the other by a closure. */
import type { Handlers } from '../base/handlers.ts';
import { createBulkQueue, type BulkQueue } from './bulk-queue.ts';
import { createBursts, type Bursts } from './bursts.ts';
import { createContinuity, type Continuity } from './continuity.ts';
import { createEmulatedNetwork, type EmulatedNetwork } from './emulated-network.ts';
import { createEvent } from './event.ts';
import { createFramePort, type FramePort } from './frame-port.ts';
import { createHeartbeat, type Heartbeat } from './heartbeat.ts';
import { pathLost, silent } from './link-endings.ts';
import { createLinkInbox, type LinkInbox } from './link-inbox.ts';
import { createLinkLanes, type LinkLanes } from './link-lanes.ts';
import type { LinkMessage } from './link-message.ts';
import type { LinkOrigin } from './link-origin.ts';
import { newLinkStats } from './link-stats.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { createRecovery, type Recovery } from './recovery.ts';
import { createRoomMessages, type RoomMessages } from './room-messages.ts';
import { createRoutes, type Routes } from './routes.ts';
import type { CloseCause, FrameHeader, LinkStats, Subscribe } from './types.ts';

export interface LinkParts {
  stats: LinkStats;
  network: EmulatedNetwork;
  outbox: Outbox;
  roomMessages: RoomMessages;
  framePort: FramePort;
  inbox: LinkInbox;
  lanes: LinkLanes;
  routes: Routes;
  bulkQueue: BulkQueue;
  bursts: Bursts;
  heartbeat: Heartbeat;
  /** Null where nobody can help the two find each other again. */
  recovery: Recovery | null;
  continuity: Continuity;
  onFrame: Subscribe<[header: FrameHeader, payload: Uint8Array<ArrayBuffer>]>;
}

export interface LinkPartsOptions {
  origin: LinkOrigin;
  /** As in `OpenLinkOptions`. */
  silenceMs: number;
  resumeMs: number;
  /** How long each round trip of a kind may take. */
  deadlines: { pingMs: number; measureMs: number };
  /** Aborts when the link ends. */
  signal: AbortSignal;
  end: (reason: string, cause: CloseCause, lastWord?: string) => void;
}

export function createLinkParts(first: RTCPeerConnection, options: LinkPartsOptions): LinkParts {
  const { origin, signal, deadlines, end } = options;
  const { introduction, dialled } = origin;
  const framed = createEvent<[header: FrameHeader, payload: Uint8Array<ArrayBuffer>]>();
  const stats = newLinkStats();
  const network = createEmulatedNetwork();
  const outbox = createOutbox();
  const roomMessages = createRoomMessages({
    outbox,
    connection: () => (continuity.isHeld ? null : lanes.primary),
  });
  const framePort = createFramePort({
    send: (slices, over) => routes.send(slices, over),
    onFrame: (header, payload) => {
      routes.giveWay();
      framed.emit(header, payload);
      if (!signal.aborted) routes.frameCame();
    },
    outbox,
    stats,
  });
  const handlers: Handlers<LinkMessage> = {
    room: (message) => roomMessages.take(message),
    beat: () => lanes.say({ kind: 'beat back' }),
    'beat back': () => undefined,
    bye: ({ reason }) => end(`The other device said goodbye: ${reason}`, 'left'),
    burst: (report) => bursts.reported(report),
    have: (have) => continuity.takeHave(have),
    'bulk here': ({ count }) => bulkQueue.received(count),
    'way back'({ topic }) {
      if (!dialled) recovery?.listen(topic);
    },
    'lanes wanted': (wanted) => lanes.bundle.otherWants(wanted),
    lane: (message) => lanes.bundle.receive(message),
  };
  const inbox = createLinkInbox({
    handlers,
    framePort,
    say: (message) => lanes.say(message),
    hear() {
      heartbeat.heard();
      recovery?.heard();
    },
    onMisbehaved: (error) =>
      end(error.message, 'misbehaved', 'this device sent something that breaks the protocol'),
  });
  const lanes = createLinkLanes(first, {
    origin,
    network,
    stats,
    inbox,
    signal,
    onDoubt() {
      if (recovery) recovery.doubt();
      else if (lanes.primary.connection.connectionState !== 'disconnected') end(pathLost, 'lost');
    },
    onChange(change) {
      if (change === 'gone' && !continuity.isHeld) continuity.compare();
      routes.changed();
    },
  });
  const routes = createRoutes({
    primary: () => lanes.primary,
    bundle: lanes.bundle,
    isHeld: () => continuity.isHeld,
    roundTrip: (bytes, echo) => framePort.roundTrip(bytes, deadlines.pingMs, echo),
    stats,
  });
  const bulkQueue = createBulkQueue((bytes) => routes.bulkLane(bytes));
  const bursts = createBursts(
    (bytes) => lanes.primary.bulk.send(bytes, 'burst', 0),
    deadlines.measureMs,
  );
  const ask = (): void => lanes.say({ kind: 'beat' });
  const heartbeat = createHeartbeat({
    deadlineMs: options.silenceMs,
    ask,
    onDoubt: () => recovery?.doubt(),
    onSilence(silentMs) {
      const cause = lanes.primary.isOpen ? 'silent' : 'lost';
      end(silent(silentMs), cause, 'nothing was heard from this device for a while');
    },
  });
  const recovery =
    introduction &&
    createRecovery({
      origin: { ...origin, introduction },
      resumeMs: options.resumeMs,
      connection: () => lanes.primary.connection,
      ask,
      outcomes: {
        onInterrupted: () => continuity.interrupt(),
        onPath: () => continuity.compare(),
        onConnection(connection) {
          lanes.replace(connection);
          routes.changed();
        },
        onGivenUp: () => end(pathLost, 'lost', 'the network path to it did not come back'),
      },
    });
  const made = { stats, network, outbox, roomMessages, framePort, inbox, lanes, bulkQueue };
  const continuity = createContinuity({ ...made, heartbeat, recovery, signal, end });
  return { ...made, routes, bursts, heartbeat, recovery, continuity, onFrame: framed.on };
}

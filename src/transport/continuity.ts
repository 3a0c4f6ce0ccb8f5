/**
 * What keeps a link whole while its connections break: each side says what it has of what the other sent, and gets
 * the rest again. While the first connection is broken, nothing new is sent.
 */
import type { BulkQueue } from './bulk-queue.ts';
import { createEvent } from './event.ts';
import type { FramePort } from './frame-port.ts';
import type { Heartbeat } from './heartbeat.ts';
import { connectionBroke, tooMuchLost } from './link-endings.ts';
import type { LinkInbox } from './link-inbox.ts';
import type { LinkLanes } from './link-lanes.ts';
import type { Have } from './link-message.ts';
import { listDue, type Outbox } from './outbox.ts';
import type { Recovery } from './recovery.ts';
import type { RoomMessages } from './room-messages.ts';
import type { CloseCause, LinkStats, Subscribe } from './types.ts';

export interface Continuity {
  /** Whether nothing new may be sent: the two have not told each other yet what they have. */
  readonly isHeld: boolean;
  /** The first connection broke. */
  interrupt(): void;
  /** Says what is here, and asks the other side to do the same. */
  compare(): void;
  /** The other side says what it has: it gets the rest, and if the link was held, all is well again. */
  takeHave(have: Have): void;
  onInterrupted: Subscribe<[reason: string]>;
  onResumed: Subscribe<[tookMs: number]>;
}

export interface ContinuityOptions {
  lanes: LinkLanes;
  outbox: Outbox;
  roomMessages: RoomMessages;
  inbox: Pick<LinkInbox, 'bulkReceived'>;
  framePort: FramePort;
  bulkQueue: BulkQueue;
  heartbeat: Heartbeat;
  recovery: Recovery | null;
  stats: LinkStats;
  /** Aborts when the link ends. */
  signal: AbortSignal;
  end: (reason: string, cause: CloseCause, lastWord: string) => void;
}

export function createContinuity(options: ContinuityOptions): Continuity {
  const { lanes, outbox, roomMessages, framePort, bulkQueue, heartbeat, stats } = options;
  const interrupted = createEvent<[reason: string]>();
  const resumed = createEvent<[tookMs: number]>();
  let heldSince: number | null = null;

  function sayWhatIsHere({ ask }: { ask: boolean }): void {
    const messages = roomMessages.received();
    const { bulkReceived: bulk } = options.inbox;
    lanes.say({ kind: 'have', messages, bulk, due: listDue(framePort.due), ask });
  }

  function release(since: number): void {
    const tookMs = performance.now() - since;
    heldSince = null;
    stats.interruptions++;
    stats.lastInterruptionMs = tookMs;
    options.recovery?.resumed();
    heartbeat.rest(false);
    resumed.emit(tookMs);
  }

  return {
    get isHeld() {
      return heldSince !== null;
    },
    interrupt() {
      if (heldSince !== null || options.signal.aborted) return;
      heldSince = performance.now();
      heartbeat.rest(true);
      lanes.bundle.drop();
      interrupted.emit(connectionBroke);
    },
    compare: () => sayWhatIsHere({ ask: true }),
    takeHave(have) {
      const { primary } = lanes;
      const lacking = outbox.takeLacking(have, primary);
      if (!lacking) {
        const lastWord = 'more was lost with the connection than could be sent again';
        options.end(tooMuchLost, 'lost', lastWord);
        return;
      }
      if (have.ask) sayWhatIsHere({ ask: false });
      bulkQueue.received(have.bulk);
      for (const text of lacking.messages) primary.sendControl(text);
      for (const slice of lacking.slices) primary.sendSlice(slice);
      stats.resentSlices += lacking.slices.length;
      if (heldSince !== null) release(heldSince);
      bulkQueue.resume();
    },
    onInterrupted: interrupted.on,
    onResumed: resumed.on,
  };
}

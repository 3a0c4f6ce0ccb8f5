/**
 * Large messages of a link, in order, over whichever connection is for them. One counts as sent when the other
 * side has it: what a connection took with it goes again over the next.
 */
import { maxBulkBytes } from './bulk-piece.ts';
import type { BulkSender } from './bulk-sender.ts';
import { LinkError } from './link-error.ts';

/** A connection for large messages: a lane is one. */
export interface BulkWay {
  readonly isOpen: boolean;
  readonly bulk: Pick<BulkSender, 'send'>;
}

export interface BulkQueue {
  /** Resolves when the other side has it whole. */
  send(bytes: Uint8Array): Promise<void>;
  /** The other side has so many. */
  received(count: number): void;
  /** Sends again what went over connections that are no more; call it once the other side has said what it has. */
  resume(): void;
  close(): void;
}

interface Outgoing {
  bytes: Uint8Array;
  /** Over which it was last sent; null while it waits. */
  lane: BulkWay | null;
  resolve: () => void;
  reject: (error: LinkError) => void;
}

/** Handed over but not known to have arrived: enough to keep the network busy. */
const maxUnderWay = 2;

/** `laneFor` finds the connection for a message of so many bytes, opening one first where that pays. */
export function createBulkQueue(laneFor: (bytes: number) => Promise<BulkWay>): BulkQueue {
  /** Those that the other side is not known to have, in order. */
  const outgoing: Outgoing[] = [];
  let receivedCount = 0;
  let pumping = false;
  /** Something changed while a message was being handed over. */
  let isOwed = false;
  let closed = false;

  function pump(): void {
    isOwed = pumping;
    if (pumping || closed) return;
    const message = outgoing.find(({ lane }) => lane === null);
    if (!message || outgoing.indexOf(message) >= maxUnderWay) return;
    pumping = true;
    void handOver(message).then((handedOver) => {
      pumping = false;
      if (handedOver || isOwed) pump();
    });
  }

  /** False where the message has to wait: for what went before it, or for the link. */
  async function handOver(message: Outgoing): Promise<boolean> {
    const lane = await laneFor(message.bytes.length);
    const at = outgoing.indexOf(message);
    // Order holds within one connection only: a change waits until what went before has arrived.
    if (at === -1 || (at > 0 && outgoing[at - 1].lane !== lane)) return false;
    message.lane = lane;
    try {
      await lane.bulk.send(message.bytes, 'message', receivedCount + at);
      return true;
    } catch {
      // The connection ended: `resume` sends what it took with it again.
      return false;
    }
  }

  return {
    send(bytes) {
      if (bytes.length > maxBulkBytes) return Promise.reject(tooLong(bytes.length));
      return new Promise((resolve, reject) => {
        outgoing.push({ bytes, lane: null, resolve, reject });
        pump();
      });
    },
    received(count) {
      for (; receivedCount < count; receivedCount++) {
        const message = outgoing.shift();
        if (!message) throw tooMany();
        message.resolve();
      }
      pump();
    },
    resume() {
      const broken = outgoing.findIndex(({ lane }) => lane?.isOpen === false);
      if (broken !== -1) for (const message of outgoing.slice(broken)) message.lane = null;
      pump();
    },
    close() {
      closed = true;
      for (const { reject } of outgoing.splice(0)) reject(ended());
    },
  };
}

function tooLong(bytes: number): LinkError {
  return new LinkError(
    'bad-request',
    `A large message may have ${maxBulkBytes} bytes, not ${bytes}: send it in parts.`,
  );
}

function tooMany(): LinkError {
  return new LinkError(
    'bad-message',
    'The other device says that it has more large messages than were sent, so the link to it was ended.',
  );
}

function ended(): LinkError {
  return new LinkError('closed', 'The link ended before the large message was sent.');
}

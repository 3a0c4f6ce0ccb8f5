/** Frames out and in over one channel, and the echoes by which its round trip is measured. */
import { encodeFrame } from './frame.ts';
import { LinkError } from './link-error.ts';
import { createReassembler } from './reassembler.ts';
import type { FrameHeader, LinkStats } from './types.ts';

export interface FramePort {
  send(header: FrameHeader, payload: Uint8Array): void;
  /** Takes a message of the channel. Throws a `LinkError` (`bad-message`) for one that breaks the rules. */
  receive(message: Uint8Array<ArrayBuffer>): void;
  /** Sends so many bytes to the other side and back, as a frame would go; resolves with the time in ms. */
  roundTrip(payloadBytes: number, deadlineMs: number): Promise<number>;
  /** Ends the round trips that are under way. */
  close(): void;
}

export interface FramePortOptions {
  send: (message: Uint8Array<ArrayBuffer>) => void;
  onFrame: (header: FrameHeader, payload: Uint8Array<ArrayBuffer>) => void;
  stats: LinkStats;
}

/** As many as the other side remembers, so that both forget the same ones. */
const maxSequences = 4096;

export function createFramePort({ send, onFrame, stats }: FramePortOptions): FramePort {
  const reassembler = createReassembler({ maxSequences });
  /** By sequence, longest idle first: the number of its next frame. */
  const nextNumbers = new Map<number, number>();
  /** By number: who waits for an echo. */
  const awaited = new Map<number, (error: LinkError | null) => void>();
  let nextEcho = 0;

  function sendMessages(messages: Uint8Array<ArrayBuffer>[]): void {
    for (const message of messages) {
      stats.bytesSent += message.length;
      send(message);
    }
  }

  function numberOf(sequence: number): number {
    const number = nextNumbers.get(sequence) ?? 0;
    nextNumbers.delete(sequence);
    nextNumbers.set(sequence, number + 1);
    if (nextNumbers.size > maxSequences) {
      const [longestIdle] = nextNumbers.keys();
      nextNumbers.delete(longestIdle);
    }
    return number;
  }

  return {
    send(header, payload) {
      sendMessages(encodeFrame(header, payload, { number: numberOf(header.sequence) }));
      stats.framesSent++;
    },

    receive(message) {
      stats.bytesReceived += message.length;
      for (const { kind, header, payload } of reassembler.receive(message))
        switch (kind) {
          case 'frame':
            stats.framesReceived++;
            onFrame(header, payload);
            break;
          case 'echo':
            sendMessages(encodeFrame(header, payload, { kind: 'echo reply', number: header.step }));
            break;
          case 'echo reply':
            awaited.get(header.step)?.(null);
            break;
        }
      stats.duplicateSlices = reassembler.duplicates;
    },

    roundTrip(payloadBytes, deadlineMs) {
      const number = nextEcho++;
      return new Promise((resolve, reject) => {
        const sentAt = performance.now();
        const settle = (error: LinkError | null): void => {
          const tookMs = performance.now() - sentAt;
          clearTimeout(timer);
          awaited.delete(number);
          if (error) reject(error);
          else resolve(tookMs);
        };
        const timer = setTimeout(() => settle(noEcho(deadlineMs)), deadlineMs);
        awaited.set(number, settle);
        sendMessages(
          encodeFrame({ ...echoHeader, step: number }, new Uint8Array(payloadBytes), {
            kind: 'echo',
            number,
          }),
        );
      });
    },

    close() {
      for (const settle of [...awaited.values()]) settle(linkEnded());
    },
  };
}

const echoHeader: FrameHeader = {
  flags: 0,
  dtype: 0,
  epoch: 0,
  sequence: 0,
  step: 0,
  stage: 0,
  hops: [],
};

function noEcho(deadlineMs: number): LinkError {
  return new LinkError(
    'timeout',
    `The other device did not answer within ${Math.round(deadlineMs)} ms.`,
  );
}

function linkEnded(): LinkError {
  return new LinkError('closed', 'The link ended while an answer was awaited.');
}

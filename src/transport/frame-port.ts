/** Frames out and in, over whichever connections there are, and the echoes by which round trips are measured. */
import { encodeFrame, plainHeader } from './frame.ts';
import type { Lane } from './lane.ts';
import { LinkError } from './link-error.ts';
import { maxSequences, type Outbox } from './outbox.ts';
import { createReassembler } from './reassembler.ts';
import type { FrameHeader, LinkStats } from './types.ts';

export interface FramePort {
  send(header: FrameHeader, payload: Uint8Array): void;
  /** Takes a message that came by a connection. Throws a `LinkError` (`bad-message`) for one that breaks the rules. */
  receive(message: Slice, by: Lane): void;
  /** Sends so many bytes to the other side and back, as a frame would go; resolves with the time in ms. */
  roundTrip(payloadBytes: number, deadlineMs: number, options?: EchoOptions): Promise<number>;
  /** Of each sequence heard of: the number of the frame that is due. */
  readonly due: ReadonlyMap<number, number>;
  /** Ends the round trips that are under way. */
  close(): void;
}

export interface EchoOptions {
  /** The connections to spread it over, instead of those that a frame would take. */
  over?: readonly Lane[];
  /** Whether nothing is to come back but the echo's header. */
  short?: boolean;
}

export type Slice = Uint8Array<ArrayBuffer>;

export interface FramePortOptions {
  /** Sends slices, over certain connections if any are named; returns those that they were given to. */
  send: (slices: readonly Slice[], over?: readonly Lane[]) => readonly Lane[];
  onFrame: (header: FrameHeader, payload: Uint8Array<ArrayBuffer>) => void;
  outbox: Outbox;
  stats: LinkStats;
}

/** Flag of an echo that asks for its header alone. */
const shortFlag = 1;

export function createFramePort({ send, onFrame, outbox, stats }: FramePortOptions): FramePort {
  const reassembler = createReassembler({ maxSequences });
  /** By number: who waits for an echo. */
  const awaited = new Map<number, (error: LinkError | null) => void>();
  let nextEcho = 0;

  function answer(header: FrameHeader, payload: Uint8Array, by: Lane): void {
    const back = header.flags === shortFlag ? payload.subarray(0, 0) : payload;
    send(encodeFrame(header, back, { kind: 'echo reply', number: header.step }), [by]);
  }

  return {
    send(header, payload) {
      const { sequence } = header;
      const number = outbox.numberFrame(sequence);
      const slices = encodeFrame(header, payload, { number });
      outbox.keepFrame(sequence, number, slices, send(slices));
      stats.framesSent++;
    },

    receive(message, by) {
      stats.bytesReceived += message.length;
      for (const { kind, header, payload } of reassembler.receive(message))
        switch (kind) {
          case 'frame':
            stats.framesReceived++;
            onFrame(header, payload);
            break;
          case 'echo':
            answer(header, payload, by);
            break;
          case 'echo reply':
            awaited.get(header.step)?.(null);
            break;
        }
      stats.duplicateSlices = reassembler.duplicates;
    },

    roundTrip(payloadBytes, deadlineMs, { over, short = false } = {}) {
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
        const header = { ...plainHeader, step: number, flags: short ? shortFlag : 0 };
        send(encodeFrame(header, new Uint8Array(payloadBytes), { kind: 'echo', number }), over);
      });
    },

    get due() {
      return reassembler.due;
    },

    close() {
      for (const settle of [...awaited.values()]) settle(linkEnded());
    },
  };
}

function noEcho(deadlineMs: number): LinkError {
  return new LinkError(
    'timeout',
    `The other device did not answer within ${Math.round(deadlineMs)} ms.`,
  );
}

function linkEnded(): LinkError {
  return new LinkError('closed', 'The link ended while an answer was awaited.');
}

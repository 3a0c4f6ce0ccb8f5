/**
 * From slices to frames: puts each frame together, drops what comes twice, and hands frames out in the order in
 * which their sequence sent them. What comes is hostile until checked: all memory is bounded, whatever arrives.
 */
import { createEchoAssembly } from './echo-assembly.ts';
import { badFrame, bodyLengthOf, decodeSlice, type Slice, type SliceHeader } from './frame.ts';
import {
  addSlice,
  finished,
  newPartialFrame,
  type PartialFrame,
  type ReceivedFrame,
} from './partial-frame.ts';

export interface ReassemblerOptions {
  /** Longest payload and hop times of one frame. */
  maxFrameBytes: number;
  /** Frames that may be incomplete, or complete and waiting for an earlier one, at any time. */
  maxPendingFrames: number;
  /** Bytes that those frames may take together. */
  maxPendingBytes: number;
  /** Sequences whose order is remembered; the longest idle is forgotten first. */
  maxSequences: number;
}

export const defaultReassemblerOptions: ReassemblerOptions = {
  maxFrameBytes: 8 * 1024 * 1024,
  maxPendingFrames: 256,
  maxPendingBytes: 32 * 1024 * 1024,
  maxSequences: 4096,
};

export interface Reassembler {
  /**
   * Takes one message and returns the frames that it makes available, in order; often one, without a copy.
   * Throws a `LinkError` (`bad-message`) for a message that breaks the rules; its sender is not to be heard again.
   */
  receive(message: Uint8Array<ArrayBuffer>): ReceivedFrame[];
  /** Slices that came a second time. */
  readonly duplicates: number;
  readonly pendingFrames: number;
  readonly pendingBytes: number;
  /** Of each sequence heard of, the longest idle first: the number of the frame that is due. */
  readonly due: ReadonlyMap<number, number>;
}

/** Frames of one sequence. */
interface Stream {
  /** Number of the next frame to hand out. */
  next: number;
  /** By number: incomplete, or waiting for an earlier one. */
  pending: Map<number, PartialFrame>;
}

export function createReassembler(options: Partial<ReassemblerOptions> = {}): Reassembler {
  const limits = { ...defaultReassemblerOptions, ...options };
  /** By sequence, longest idle first. */
  const streams = new Map<number, Stream>();
  let duplicates = 0;
  let pendingFrames = 0;
  let pendingBytes = 0;
  const receiveEcho = createEchoAssembly(() => duplicates++);

  function receive(message: Uint8Array<ArrayBuffer>): ReceivedFrame[] {
    const slice = decodeSlice(message, limits.maxFrameBytes);
    const { header } = slice;
    if (header.kind !== 'frame') return receiveEcho(slice);
    const stream = touchStream(header.sequence);
    const pending = stream.pending.get(header.number);
    if (header.number < stream.next) return dropDuplicate();
    if (pending) return add(stream, pending, slice);
    if (header.sliceCount === 1 && header.number === stream.next) {
      stream.next++;
      return [finished(header, slice.body), ...handOut(stream)];
    }
    return add(stream, admit(stream, header), slice);
  }

  function touchStream(sequence: number): Stream {
    const stream = streams.get(sequence) ?? { next: 0, pending: new Map<number, PartialFrame>() };
    streams.delete(sequence);
    streams.set(sequence, stream);
    if (streams.size > limits.maxSequences) forgetIdleStream(stream);
    return stream;
  }

  function forgetIdleStream(current: Stream): void {
    for (const [sequence, stream] of streams)
      if (stream !== current && stream.pending.size === 0) {
        streams.delete(sequence);
        return;
      }
  }

  /** Makes room for a frame whose first slice has come, if there is room for it. */
  function admit(stream: Stream, header: SliceHeader): PartialFrame {
    const bodyLength = bodyLengthOf(header);
    if (header.number - stream.next >= limits.maxPendingFrames)
      throw badFrame(`frame ${header.number} of a sequence where frame ${stream.next} was due`);
    if (pendingFrames >= limits.maxPendingFrames)
      throw badFrame(`parts of more than ${limits.maxPendingFrames} frames at once`);
    if (pendingBytes + bodyLength > limits.maxPendingBytes)
      throw badFrame(`parts of frames of more than ${limits.maxPendingBytes} bytes at once`);
    pendingFrames++;
    pendingBytes += bodyLength;
    const frame = newPartialFrame(header);
    stream.pending.set(header.number, frame);
    return frame;
  }

  function add(stream: Stream, frame: PartialFrame, slice: Slice): ReceivedFrame[] {
    return addSlice(frame, slice) ? handOut(stream) : dropDuplicate();
  }

  function handOut(stream: Stream): ReceivedFrame[] {
    const frames: ReceivedFrame[] = [];
    for (;;) {
      const frame = stream.pending.get(stream.next);
      if (!frame || frame.missing > 0) return frames;
      stream.pending.delete(stream.next);
      stream.next++;
      pendingFrames--;
      pendingBytes -= frame.body.length;
      frames.push(finished(frame.header, frame.body));
    }
  }

  function dropDuplicate(): [] {
    duplicates++;
    return [];
  }

  return {
    receive,
    get duplicates() {
      return duplicates;
    },
    get pendingFrames() {
      return pendingFrames;
    },
    get pendingBytes() {
      return pendingBytes;
    },
    get due() {
      return new Map(Array.from(streams, ([sequence, { next }]) => [sequence, next]));
    },
  };
}

/**
 * What was sent of late, so that a connection that breaks takes nothing with it: the other side says what it has,
 * and gets the rest again. Bounded; what is older than a connection could have held back is forgotten.
 */
import type { Have } from './link-message.ts';

export interface Outbox {
  /** The number of the next of the room's messages, from 1. */
  numberMessage(): number;
  /** The number of a sequence's next frame, from 0. */
  numberFrame(sequence: number): number;
  /** `over`: the connections that it was given to; none for what has to wait. */
  keepMessage(number: number, text: string, over: readonly Way[]): void;
  keepFrame(sequence: number, number: number, slices: Slice[], over: readonly Way[]): void;
  /**
   * What the other side lacks and no connection will bring it, in the order in which it was sent: given to `over`
   * from now on. Null where not all of that is kept any more.
   */
  takeLacking(have: Have, over: Way): { messages: string[]; slices: Slice[] } | null;
  /** Forgets what was sent longer ago. */
  forget(olderThanMs: number): void;
}

/** A connection: as long as it is open, it brings what it was given, in the end. */
export interface Way {
  readonly isOpen: boolean;
}

type Slice = Uint8Array<ArrayBuffer>;

interface Kept {
  over: readonly Way[];
  sentAt: number;
}

interface KeptMessage extends Kept {
  number: number;
  text: string;
}

interface KeptFrame extends Kept {
  sequence: number;
  number: number;
  slices: Slice[];
  bytes: number;
}

/** As many as the other side remembers, so that both forget the same ones. */
export const maxSequences = 4096;
/** Sequences that a device names when it says what it has. */
const maxNamedSequences = 2048;

export interface OutboxLimits {
  frameBytes: number;
  messageCharacters: number;
}

const defaultOutboxLimits: OutboxLimits = {
  frameBytes: 8 * 1024 * 1024,
  messageCharacters: 1024 * 1024,
};

export function createOutbox(limits: OutboxLimits = defaultOutboxLimits): Outbox {
  /** By sequence, longest idle first: the number of its next frame. */
  const nextNumbers = new Map<number, number>();
  const frames: KeptFrame[] = [];
  const messages: KeptMessage[] = [];
  let frameBytes = 0;
  let messageCharacters = 0;
  let messagesSent = 0;

  function dropFrame(): void {
    frameBytes -= frames.shift()?.bytes ?? 0;
  }

  function dropMessage(): void {
    messageCharacters -= messages.shift()?.text.length ?? 0;
  }

  function keepsEveryMessageAfter(number: number): boolean {
    return number >= messagesSent || (messages.length > 0 && messages[0].number <= number + 1);
  }

  function keepsEveryFrame(due: ReadonlyMap<number, number>): boolean {
    const firstKept = new Map<number, number>();
    for (const { sequence, number } of frames)
      if (!firstKept.has(sequence)) firstKept.set(sequence, number);
    // Where the other side could not name all its sequences, those that it left out are long over.
    const unnamed = due.size < maxNamedSequences ? 0 : Infinity;
    for (const [sequence, first] of firstKept)
      if (first > (due.get(sequence) ?? unnamed)) return false;
    for (const [sequence, number] of due)
      if (number < (nextNumbers.get(sequence) ?? 0) && !firstKept.has(sequence)) return false;
    return true;
  }

  return {
    numberMessage: () => ++messagesSent,
    numberFrame(sequence) {
      const number = nextNumbers.get(sequence) ?? 0;
      nextNumbers.delete(sequence);
      nextNumbers.set(sequence, number + 1);
      if (nextNumbers.size > maxSequences) {
        const [longestIdle] = nextNumbers.keys();
        nextNumbers.delete(longestIdle);
      }
      return number;
    },
    keepMessage(number, text, over) {
      messages.push({ number, text, over, sentAt: performance.now() });
      messageCharacters += text.length;
      while (messageCharacters > limits.messageCharacters) dropMessage();
    },
    keepFrame(sequence, number, slices, over) {
      const bytes = slices.reduce((sum, slice) => sum + slice.length, 0);
      frames.push({ sequence, number, slices, bytes, over, sentAt: performance.now() });
      frameBytes += bytes;
      while (frameBytes > limits.frameBytes) dropFrame();
    },
    takeLacking(have, over) {
      const due = dueOf(have);
      if (!keepsEveryMessageAfter(have.messages) || !keepsEveryFrame(due)) return null;
      const lackedMessages = messages.filter(
        (message) => message.number > have.messages && isStranded(message),
      );
      const lackedFrames = frames.filter(
        (frame) => frame.number >= (due.get(frame.sequence) ?? 0) && isStranded(frame),
      );
      for (const kept of [...lackedMessages, ...lackedFrames]) kept.over = [over];
      return {
        messages: lackedMessages.map(({ text }) => text),
        slices: lackedFrames.flatMap(({ slices }) => slices),
      };
    },
    forget(olderThanMs) {
      const until = performance.now() - olderThanMs;
      while (frames.length > 0 && frames[0].sentAt < until) dropFrame();
      while (messages.length > 0 && messages[0].sentAt < until) dropMessage();
    },
  };
}

function isStranded({ over }: Kept): boolean {
  return over.length === 0 || over.some(({ isOpen }) => !isOpen);
}

/** The list as it travels: a sequence and the number that is due in it, in turn. */
export function listDue(due: ReadonlyMap<number, number>): number[] {
  return [...due].slice(-maxNamedSequences).flat();
}

function dueOf({ due }: Have): Map<number, number> {
  const numbers = new Map<number, number>();
  for (let at = 0; at + 1 < due.length; at += 2) numbers.set(due[at], due[at + 1]);
  return numbers;
}

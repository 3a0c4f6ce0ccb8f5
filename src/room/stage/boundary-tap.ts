/**
 * A tap on the boundary between two stages. The device before a stage keeps the states that it sends into it, and the
 * device behind keeps the states that come out. Whoever runs the same layers on the first should get the second.
 */
import { dropOldest } from '../../base/drop-oldest.ts';
import { mostPositions } from '../protocol/index.ts';

/** Into `stage` of this lap, for one sequence. */
export interface Boundary {
  planVersion: number;
  sequence: number;
  stage: number;
}

export interface Seen {
  /** Ascending. */
  positions: number[];
  /** [positions, hidden_size], as they crossed. */
  payload: Uint8Array<ArrayBuffer>;
}

export interface BoundaryTap {
  watch: (boundary: Boundary) => void;
  /** A frame that crosses; `step` is the position of its first state. */
  note: (frame: Boundary & { step: number }, payload: Uint8Array) => void;
  /** What crossed so far. The watch ends. Null where it never began. */
  take: (boundary: Boundary) => Seen | null;
}

/** The oldest watch gives way to a new one. */
export const mostWatches = 16;

interface Watch {
  positions: number[];
  parts: Uint8Array[];
  isOver: boolean;
}

/** @param bytesPerPosition of a hidden state as it crosses */
export function createBoundaryTap(bytesPerPosition: number): BoundaryTap {
  const watches = new Map<string, Watch>();

  return {
    watch(boundary) {
      watches.set(nameOf(boundary), { positions: [], parts: [], isOver: false });
      dropOldest(watches, mostWatches);
    },
    note(frame, payload) {
      if (watches.size === 0) return;
      const watch = watches.get(nameOf(frame));
      const { step: position } = frame;
      if (!watch || watch.isOver) return;
      // A draft that was taken back leaves positions that are written anew: what came before still holds.
      const last = watch.positions.at(-1) ?? -1;
      const count = payload.length / bytesPerPosition;
      watch.isOver = position <= last || watch.positions.length + count > mostPositions;
      if (watch.isOver) return;
      for (let index = 0; index < count; index++) watch.positions.push(position + index);
      watch.parts.push(payload.slice());
    },
    take(boundary) {
      const watch = watches.get(nameOf(boundary));
      if (!watch) return null;
      watches.delete(nameOf(boundary));
      const payload = new Uint8Array(watch.positions.length * bytesPerPosition);
      let end = 0;
      for (const part of watch.parts) {
        payload.set(part, end);
        end += part.length;
      }
      return { positions: watch.positions, payload };
    },
  };
}

function nameOf({ planVersion, sequence, stage }: Boundary): string {
  return `${planVersion} ${sequence} ${stage}`;
}

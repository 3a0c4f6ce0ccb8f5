/** A frame of which slices are still to come, and how they are put together. */
import {
  badFrame,
  bodyLengthOf,
  readFrame,
  sliceBodyBytes,
  type FrameKind,
  type Slice,
  type SliceHeader,
} from './frame.ts';
import type { FrameHeader } from './types.ts';

export interface ReceivedFrame {
  kind: FrameKind;
  header: FrameHeader;
  payload: Uint8Array<ArrayBuffer>;
}

export interface PartialFrame {
  header: SliceHeader;
  body: Uint8Array<ArrayBuffer>;
  /** By slice index. */
  arrived: Uint8Array;
  missing: number;
}

/** For the first slice that comes of a frame. */
export function newPartialFrame(header: SliceHeader): PartialFrame {
  return {
    header,
    body: new Uint8Array(bodyLengthOf(header)),
    arrived: new Uint8Array(header.sliceCount),
    missing: header.sliceCount,
  };
}

/** False for a slice that came before. Throws a `LinkError` for one that contradicts the others. */
export function addSlice(frame: PartialFrame, slice: Slice): boolean {
  if (!sameFrame(frame.header, slice.header))
    throw badFrame(`two slices of frame ${slice.header.number} that contradict each other`);
  const { sliceIndex } = slice.header;
  if (frame.arrived[sliceIndex] === 1) return false;
  frame.arrived[sliceIndex] = 1;
  frame.missing--;
  frame.body.set(slice.body, sliceIndex * sliceBodyBytes);
  return true;
}

export function finished(header: SliceHeader, body: Uint8Array<ArrayBuffer>): ReceivedFrame {
  return { kind: header.kind, ...readFrame(header, body) };
}

/** Whether two slices are of one frame: their headers differ in the slice's index alone. */
function sameFrame(a: SliceHeader, b: SliceHeader): boolean {
  return (
    a.flags === b.flags &&
    a.dtype === b.dtype &&
    a.planVersion === b.planVersion &&
    a.step === b.step &&
    a.stage === b.stage &&
    a.hopCount === b.hopCount &&
    a.payloadLength === b.payloadLength
  );
}

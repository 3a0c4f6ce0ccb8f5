/**
 * Frames on the wire. A frame is cut into slices that fit a network's first round trip; every slice carries the
 * whole header, so that it can be judged by itself. Little-endian:
 *
 *     byte  size
 *        0     1  protocol version
 *        1     1  kind: 0 frame, 1 echo (to be sent back), 2 echo come back
 *        2     1  flags   ┐
 *        3     1  dtype   │ given meaning by whoever sends frames,
 *        4     4  plan version   │ passed through here
 *        8     4  sequence┘ (and names the stream that is kept in order)
 *       12     4  step
 *       16     4  number: of this frame in its sequence on this link, from 0
 *       20     2  stage
 *       22     1  hop count
 *       23     1  zero
 *       24     2  slice index
 *       26     2  slice count
 *       28     4  payload length, of the whole frame
 *       32        this slice's part of the body
 *
 * The body is the payload, then 16 bytes for each hop that measured itself: stage (2 bytes), zero (2), and queue,
 * compute and wire time in microseconds (4 each). All slices but the last are full.
 */
import { LinkError } from './link-error.ts';
import { protocolVersion } from './protocol-version.ts';
import type { FrameHeader, HopTiming } from './types.ts';

export const headerBytes = 32;
/** The largest slice, header included: more in one message costs a fresh connection another round trip. */
export const maxSliceBytes = 4600;
export const sliceBodyBytes = maxSliceBytes - headerBytes;
const hopBytes = 16;

/** Of a frame that says nothing of itself, such as an echo. */
export const plainHeader: FrameHeader = {
  flags: 0,
  dtype: 0,
  planVersion: 0,
  sequence: 0,
  step: 0,
  stage: 0,
  hops: [],
};

export type FrameKind = 'frame' | 'echo' | 'echo reply';

const kinds: readonly FrameKind[] = ['frame', 'echo', 'echo reply'];

/** A header with what the transport adds to it. */
export interface SliceHeader extends Omit<FrameHeader, 'hops'> {
  kind: FrameKind;
  number: number;
  hopCount: number;
  sliceIndex: number;
  sliceCount: number;
  payloadLength: number;
}

export interface Slice {
  header: SliceHeader;
  /** This slice's part of the frame's body: a view of the message that it came in. */
  body: Uint8Array<ArrayBuffer>;
}

/**
 * The messages that carry a frame, each in memory of its own: the payload is copied once, into them.
 * Throws a `LinkError` (`bad-request`) for a header that does not fit its bytes.
 */
export function encodeFrame(
  header: FrameHeader,
  payload: Uint8Array,
  { kind = 'frame', number }: { kind?: FrameKind; number: number },
): Uint8Array<ArrayBuffer>[] {
  const hops = header.hops.length === 0 ? null : encodeHops(header.hops);
  const bodyLength = payload.length + (hops?.length ?? 0);
  const sliceCount = countSlices(bodyLength);
  checkRange('flags', header.flags, 0xff);
  checkRange('dtype', header.dtype, 0xff);
  checkRange('planVersion', header.planVersion, 0xffff_ffff);
  checkRange('sequence', header.sequence, 0xffff_ffff);
  checkRange('step', header.step, 0xffff_ffff);
  checkRange('stage', header.stage, 0xffff);
  checkRange('hop count', header.hops.length, 0xff);
  checkRange('number of slices', sliceCount, 0xffff);

  return Array.from({ length: sliceCount }, (_, sliceIndex) => {
    const start = sliceIndex * sliceBodyBytes;
    const end = Math.min(start + sliceBodyBytes, bodyLength);
    const message = new Uint8Array(headerBytes + end - start);
    const view = new DataView(message.buffer);
    view.setUint8(0, protocolVersion);
    view.setUint8(1, kinds.indexOf(kind));
    view.setUint8(2, header.flags);
    view.setUint8(3, header.dtype);
    view.setUint32(4, header.planVersion, true);
    view.setUint32(8, header.sequence, true);
    view.setUint32(12, header.step, true);
    view.setUint32(16, number, true);
    view.setUint16(20, header.stage, true);
    view.setUint8(22, header.hops.length);
    view.setUint16(24, sliceIndex, true);
    view.setUint16(26, sliceCount, true);
    view.setUint32(28, payload.length, true);
    message.set(payload.subarray(start, Math.min(end, payload.length)), headerBytes);
    if (hops && end > payload.length) {
      const hopStart = Math.max(start, payload.length);
      const part = hops.subarray(hopStart - payload.length, end - payload.length);
      message.set(part, headerBytes + hopStart - start);
    }
    return message;
  });
}

/**
 * Reads one message of a frame. Throws a `LinkError` (`bad-message`) unless its version, size, index and count
 * agree with each other and the frame is at most `maxFrameBytes` long; allocates nothing for it before that.
 */
export function decodeSlice(message: Uint8Array<ArrayBuffer>, maxFrameBytes: number): Slice {
  if (message.length < headerBytes || message.length > maxSliceBytes)
    throw badFrame(`a slice of ${message.length} bytes, not ${headerBytes} to ${maxSliceBytes}`);
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const version = view.getUint8(0);
  if (version !== protocolVersion)
    throw badFrame(`a frame of version ${version}, not ${protocolVersion}`);
  const kind = kinds.at(view.getUint8(1));
  if (kind === undefined) throw badFrame(`a frame of unknown kind ${view.getUint8(1)}`);
  if (view.getUint8(23) !== 0) throw badFrame('a header whose spare byte is not zero');

  const header: SliceHeader = {
    kind,
    flags: view.getUint8(2),
    dtype: view.getUint8(3),
    planVersion: view.getUint32(4, true),
    sequence: view.getUint32(8, true),
    step: view.getUint32(12, true),
    number: view.getUint32(16, true),
    stage: view.getUint16(20, true),
    hopCount: view.getUint8(22),
    sliceIndex: view.getUint16(24, true),
    sliceCount: view.getUint16(26, true),
    payloadLength: view.getUint32(28, true),
  };
  const bodyLength = bodyLengthOf(header);
  if (bodyLength > maxFrameBytes)
    throw badFrame(`a frame of ${bodyLength} bytes, more than the ${maxFrameBytes} allowed`);
  if (header.sliceCount !== countSlices(bodyLength) || header.sliceIndex >= header.sliceCount)
    throw badFrame(
      `slice ${header.sliceIndex} of ${header.sliceCount} for a frame of ${bodyLength} bytes`,
    );
  const expected = Math.min(sliceBodyBytes, bodyLength - header.sliceIndex * sliceBodyBytes);
  const body = message.subarray(headerBytes);
  if (body.length !== expected)
    throw badFrame(`a slice with ${body.length} bytes of its frame, not ${expected}`);
  return { header, body };
}

/** Bytes of a frame's payload and hop times together. */
export function bodyLengthOf(header: SliceHeader): number {
  return header.payloadLength + header.hopCount * hopBytes;
}

/** Parts a whole frame's body into what its sender handed over. */
export function readFrame(
  { flags, dtype, planVersion, sequence, step, stage, hopCount, payloadLength }: SliceHeader,
  body: Uint8Array<ArrayBuffer>,
): { header: FrameHeader; payload: Uint8Array<ArrayBuffer> } {
  const hops = decodeHops(body.subarray(payloadLength), hopCount);
  const header = { flags, dtype, planVersion, sequence, step, stage, hops };
  return { header, payload: body.subarray(0, payloadLength) };
}

export function badFrame(what: string): LinkError {
  return new LinkError(
    'bad-message',
    `The other device sent ${what}, so the link to it was ended.`,
  );
}

function countSlices(bodyLength: number): number {
  return Math.max(1, Math.ceil(bodyLength / sliceBodyBytes));
}

function encodeHops(hops: readonly HopTiming[]): Uint8Array {
  const bytes = new Uint8Array(hops.length * hopBytes);
  const view = new DataView(bytes.buffer);
  hops.forEach(({ stage, queueUs, computeUs, wireUs }, index) => {
    const at = index * hopBytes;
    checkRange('stage of a hop', stage, 0xffff);
    view.setUint16(at, stage, true);
    view.setUint32(at + 4, clampDuration(queueUs), true);
    view.setUint32(at + 8, clampDuration(computeUs), true);
    view.setUint32(at + 12, clampDuration(wireUs), true);
  });
  return bytes;
}

function decodeHops(bytes: Uint8Array, count: number): HopTiming[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, index) => {
    const at = index * hopBytes;
    return {
      stage: view.getUint16(at, true),
      queueUs: view.getUint32(at + 4, true),
      computeUs: view.getUint32(at + 8, true),
      wireUs: view.getUint32(at + 12, true),
    };
  });
}

/** Over an hour is shown as an hour and a bit: durations are for people. */
function clampDuration(microseconds: number): number {
  return Math.min(Math.max(0, Math.round(microseconds)), 0xffff_ffff);
}

function checkRange(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new LinkError(
      'bad-request',
      `A frame’s ${name} must be a whole number from 0 to ${max}, not ${value}.`,
    );
}

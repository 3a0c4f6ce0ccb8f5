/**
 * Steps of several answers that shared a run, in one frame: they stay together, so that the next stage can run
 * them together too, and the way there is paid for once. Little-endian:
 *
 *     byte  size
 *        0     2  number of steps, at least 1
 *     then for each:
 *              4  sequence
 *              4  position
 *              2  number of hops that measured themselves
 *              2  zero
 *             16  for each hop: stage (2), zero (2), queue, compute and wire time in microseconds (4 each)
 *                 the hidden state of one position
 */
import type { HopTiming } from '../../transport/index.ts';

/** The `dtype` of a frame that carries such a group. */
export const groupCode = 254;

export interface GroupedStep<Buffer extends ArrayBufferLike = ArrayBufferLike> {
  sequence: number;
  position: number;
  hops: readonly HopTiming[];
  /** One position, packed. */
  payload: Uint8Array<Buffer>;
}

const countBytes = 2;
const stepBytes = 12;
const hopBytes = 16;
/** As many as the frame's own header can name. */
const mostHops = 255;

export function packGroup(steps: readonly GroupedStep[]): Uint8Array<ArrayBuffer> {
  const sizes = steps.map(
    ({ hops, payload }) => stepBytes + hops.length * hopBytes + payload.length,
  );
  const packed = new Uint8Array(sizes.reduce((sum, size) => sum + size, countBytes));
  const view = new DataView(packed.buffer);
  view.setUint16(0, steps.length, true);
  let at = countBytes;
  for (const { sequence, position, hops, payload } of steps) {
    view.setUint32(at, sequence, true);
    view.setUint32(at + 4, position, true);
    view.setUint16(at + 8, hops.length, true);
    at += stepBytes;
    for (const { stage, queueUs, computeUs, wireUs } of hops) {
      view.setUint16(at, stage, true);
      view.setUint32(at + 4, queueUs, true);
      view.setUint32(at + 8, computeUs, true);
      view.setUint32(at + 12, wireUs, true);
      at += hopBytes;
    }
    packed.set(payload, at);
    at += payload.length;
  }
  return packed;
}

/** Throws one sentence where the bytes are not whole steps of `bytesPerToken`. */
export function unpackGroup(
  packed: Uint8Array<ArrayBuffer>,
  bytesPerToken: number,
): GroupedStep<ArrayBuffer>[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const cut = (): Error => new Error(`a group of steps of ${packed.length} bytes is cut short`);
  if (packed.length < countBytes) throw cut();
  const count = view.getUint16(0, true);
  if (count === 0) throw new Error('a group of no steps came');
  const steps: GroupedStep<ArrayBuffer>[] = [];
  let at = countBytes;
  for (let index = 0; index < count; index++) {
    if (at + stepBytes > packed.length) throw cut();
    const sequence = view.getUint32(at, true);
    const position = view.getUint32(at + 4, true);
    const hopCount = view.getUint16(at + 8, true);
    if (hopCount > mostHops || view.getUint16(at + 10, true) !== 0)
      throw new Error(`a step of a group names ${hopCount} hops and does not look like one`);
    at += stepBytes;
    if (at + hopCount * hopBytes + bytesPerToken > packed.length) throw cut();
    const hops = Array.from({ length: hopCount }, (_, hop): HopTiming => {
      const from = at + hop * hopBytes;
      return {
        stage: view.getUint16(from, true),
        queueUs: view.getUint32(from + 4, true),
        computeUs: view.getUint32(from + 8, true),
        wireUs: view.getUint32(from + 12, true),
      };
    });
    at += hopCount * hopBytes;
    steps.push({ sequence, position, hops, payload: packed.subarray(at, at + bytesPerToken) });
    at += bytesPerToken;
  }
  if (at !== packed.length)
    throw new Error(`a group of steps has ${packed.length - at} bytes too many`);
  return steps;
}

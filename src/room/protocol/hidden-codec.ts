/** Hidden states as bytes: little-endian f16 or f32, token after token. */
import { packF16, unpackF16 } from '../../model/numbers/f16.ts';
import type { WireType } from '../room.ts';

/** The frame header's `dtype` of each type. */
const codes: Record<WireType, number> = { f32: 0, f16: 1 };

/** The `dtype` of a frame that carries no hidden state but tells a stage to fork a sequence's cache. */
export const forkCode = 255;

export const bytesPerNumber: Record<WireType, number> = { f32: 4, f16: 2 };

export function wireCode(wire: WireType): number {
  return codes[wire];
}

/** Whether every value is a number, and none infinite: what a layer puts out, unless something broke. */
export function areFinite(values: Float32Array): boolean {
  let sum = 0;
  // The difference is 0 for every finite value, and NaN, which stays, for any other.
  for (let i = 0; i < values.length; i++) sum += values[i] - values[i];
  return sum === 0;
}

/** Finite values stay finite: what an f16 cannot hold becomes the largest one that it can. */
export function packHidden(values: Float32Array, wire: WireType): Uint8Array {
  const numbers = wire === 'f16' ? saturated(packF16(values)) : values;
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

const infinity = 0x7c00;

function saturated(halves: Uint16Array): Uint16Array {
  for (let i = 0; i < halves.length; i++) if ((halves[i] & 0x7fff) === infinity) halves[i]--;
  return halves;
}

/**
 * Values [tokens, hiddenSize] of a payload. Throws one sentence where its type or length is not what
 * this room agreed on.
 */
export function unpackHidden(
  payload: Uint8Array<ArrayBuffer>,
  dtype: number,
  wire: WireType,
  hiddenSize: number,
): { tokens: number; values: Float32Array } {
  if (dtype !== codes[wire])
    throw new Error(`a hidden state came as type ${dtype}, and this room sends ${wire}`);
  const bytesPerToken = hiddenSize * bytesPerNumber[wire];
  const tokens = payload.byteLength / bytesPerToken;
  if (tokens < 1 || !Number.isInteger(tokens))
    throw new Error(
      `a hidden state of ${payload.byteLength} bytes came, not a multiple of ${bytesPerToken}`,
    );
  // A payload may start anywhere in its buffer; typed arrays must not.
  const aligned = payload.byteOffset % 4 === 0 ? payload : payload.slice();
  const count = tokens * hiddenSize;
  const values =
    wire === 'f16'
      ? unpackF16(new Uint16Array(aligned.buffer, aligned.byteOffset, count))
      : new Float32Array(aligned.buffer, aligned.byteOffset, count);
  return { tokens, values };
}

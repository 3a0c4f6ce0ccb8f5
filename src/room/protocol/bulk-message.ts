/** Large messages between devices: a header that says what they are, then their bytes. */
import * as v from 'valibot';
import type { Handlers } from '../../base/handlers.ts';
import { count, weights } from './fields.ts';

/** Enough to tell right from wrong, and 128 KiB of a state of 1024 in 16 bits. */
export const mostPositions = 64;

export const BulkHeaderSchema = v.variant('kind', [
  /** The model's manifest as JSON, for a model that no server describes. */
  v.object({ kind: v.literal('manifest') }),
  /** Please send this piece of the model; answered by `piece` or `no-piece` under the same number. */
  v.object({
    kind: v.literal('want'),
    request: count,
    file: count,
    offset: count,
    bytes: v.pipe(count, v.minValue(1), v.maxValue(4 * 1024 * 1024)),
  }),
  /** The piece that was asked for is the body. */
  v.object({ kind: v.literal('piece'), request: count }),
  /** This device does not have that piece. */
  v.object({ kind: v.literal('no-piece'), request: count }),
  /** What crossed into a stage at these positions, as this device's boundary tap has it; none where there was no tap. */
  v.object({
    kind: v.literal('boundary-states'),
    planVersion: count,
    sequence: count,
    stage: count,
    positions: v.pipe(v.array(count), v.maxLength(mostPositions)),
  }),
  /** Please run these layers on the states in the body, f32; answered by `recomputed` with what they become. */
  v.object({
    kind: v.literal('recompute'),
    request: count,
    first: count,
    last: count,
    weights,
  }),
  /** The states that came out are the body, f32. A device that cannot compute them does not answer. */
  v.object({ kind: v.literal('recomputed'), request: count }),
]);

export type BulkHeader = v.InferOutput<typeof BulkHeaderSchema>;

export interface BulkMessage {
  header: BulkHeader;
  body: Uint8Array<ArrayBuffer>;
}

/** What is done with each kind, by who sent it. */
export type BulkHandlers = Handlers<BulkHeader, [from: string, body: Uint8Array<ArrayBuffer>]>;

/** Nothing is awaited: refuses a message of any kind. Whoever awaits a kind puts a handler of its own in the place. */
export const unaskedBulk: BulkHandlers = {
  manifest: refuse,
  want: refuse,
  piece: refuse,
  'no-piece': refuse,
  'boundary-states': refuse,
  recompute: refuse,
  recomputed: refuse,
};

function refuse(from: string, _body: Uint8Array, { kind }: BulkHeader): never {
  throw new Error(`${from} sent a ${kind} that nobody waited for`);
}

const lengthBytes = 4;
const maxHeaderBytes = 1024;

/** Length of the header (32 bits, little-endian), the header as JSON, the body. */
export function encodeBulk(header: BulkHeader, body: Uint8Array = new Uint8Array()): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const message = new Uint8Array(lengthBytes + json.length + body.length);
  new DataView(message.buffer).setUint32(0, json.length, true);
  message.set(json, lengthBytes);
  message.set(body, lengthBytes + json.length);
  return message;
}

/** Throws one sentence when the message is not one of these. */
export function decodeBulk(message: Uint8Array<ArrayBuffer>): BulkMessage {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const headerBytes = message.length < lengthBytes ? Infinity : view.getUint32(0, true);
  const bodyStart = lengthBytes + headerBytes;
  if (headerBytes > maxHeaderBytes || bodyStart > message.length)
    throw new Error(`a large message of ${message.length} bytes has no readable header`);
  const json = new TextDecoder().decode(message.subarray(lengthBytes, bodyStart));
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), BulkHeaderSchema), json);
  if (!parsed.success) throw new Error('a large message has a header of no known kind');
  return { header: parsed.output, body: message.subarray(bodyStart) };
}

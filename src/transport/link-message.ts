/** What travels on a link's control channel after the handshake: the room's messages, and the link's own. */
import * as v from 'valibot';
import { LinkError } from './link-error.ts';
import { NegotiationSchema } from './negotiation.ts';

/** Characters of JSON text. */
export const maxControlLength = 64 * 1024;

const CountSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32));
/** Of each kind of further connection; more would not make a link faster. */
const LaneCountSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8));

/** What this side has of what the other sent, whatever became of the connection that it was sent over. */
const HaveSchema = v.strictObject({
  kind: v.literal('have'),
  /** Of the room's messages, and of large messages. */
  messages: CountSchema,
  bulk: CountSchema,
  /** A sequence and the number of the frame that is due in it, in turn. */
  due: v.pipe(v.array(CountSchema), v.maxLength(4096)),
  /** Whether the other side is to say what it has, too. */
  ask: v.boolean(),
});

export const LinkMessageSchema = v.variant('kind', [
  /** A message of the room's, counted from 1; what it may contain is the room's to check. */
  v.strictObject({ kind: v.literal('room'), number: CountSchema, message: v.unknown() }),
  /** Asks for a sign of life, and is one. */
  v.strictObject({ kind: v.literal('beat') }),
  /** The sign of life that was asked for. */
  v.strictObject({ kind: v.literal('beat back') }),
  /** The link ends, for this reason. */
  v.strictObject({ kind: v.literal('bye'), reason: v.pipe(v.string(), v.maxLength(1000)) }),
  /** The answer to a burst: what came after its first piece, and how long that took. */
  v.strictObject({
    kind: v.literal('burst'),
    bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
    tookMs: v.pipe(v.number(), v.minValue(0)),
  }),
  HaveSchema,
  /** So many large messages are here. */
  v.strictObject({ kind: v.literal('bulk here'), count: CountSchema }),
  /** The name under which the two find each other by way of the server should the connection break. */
  v.strictObject({
    kind: v.literal('way back'),
    topic: v.pipe(v.string(), v.regex(/^[a-z0-9]{20,64}$/)),
  }),
  /** How many further connections this side has a use for. */
  v.strictObject({
    kind: v.literal('lanes wanted'),
    tokens: LaneCountSchema,
    bulk: LaneCountSchema,
  }),
  /** How a further connection is agreed on. */
  v.strictObject({
    kind: v.literal('lane'),
    id: CountSchema,
    purpose: v.picklist(['tokens', 'bulk']),
    signal: NegotiationSchema,
  }),
]);

export type LinkMessage = v.InferOutput<typeof LinkMessageSchema>;
export type Have = v.InferOutput<typeof HaveSchema>;

/** Throws a `LinkError` (`bad-request`) for a message over 64 KiB. */
export function encodeLinkMessage(message: LinkMessage): string {
  const text = JSON.stringify(message);
  if (text.length > maxControlLength)
    throw new LinkError(
      'bad-request',
      `A message to another device may have ${maxControlLength} characters, not ${text.length}: send large things as bulk.`,
    );
  return text;
}

/** Throws a `LinkError` (`bad-message`) for anything that is not a message. */
export function decodeLinkMessage(data: string | ArrayBuffer): LinkMessage {
  const result = v.safeParse(LinkMessageSchema, parseJson(data));
  if (result.success) return result.output;
  throw new LinkError(
    'bad-message',
    'The other device sent something that is no message of this protocol, so the link to it was ended.',
  );
}

/** The value, or undefined for what is too long or no JSON. */
export function parseJson(data: string | ArrayBuffer): unknown {
  if (typeof data !== 'string' || data.length > maxControlLength) return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

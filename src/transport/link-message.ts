/** What travels on a link's control channel after the handshake: the room's messages, and the link's own. */
import * as v from 'valibot';
import { LinkError } from './link-error.ts';

/** Characters of JSON text. */
export const maxControlLength = 64 * 1024;

const LinkMessageSchema = v.variant('kind', [
  /** A message of the room's; what it may contain is the room's to check. */
  v.strictObject({ kind: v.literal('room'), message: v.unknown() }),
  /** Asks for a sign of life, and is one. */
  v.strictObject({ kind: v.literal('beat') }),
  v.strictObject({ kind: v.literal('beat back') }),
  v.strictObject({ kind: v.literal('bye'), reason: v.pipe(v.string(), v.maxLength(1000)) }),
  /** The answer to a burst: what came after its first piece, and how long that took. */
  v.strictObject({
    kind: v.literal('burst'),
    bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
    tookMs: v.pipe(v.number(), v.minValue(0)),
  }),
]);

export type LinkMessage = v.InferOutput<typeof LinkMessageSchema>;

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

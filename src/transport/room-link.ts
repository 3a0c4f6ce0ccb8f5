/**
 * Room links. All that matters lies behind the `#`, which a browser never sends to a server:
 *
 *     https://192.168.1.20:8443/#room=k3f9…&key=q83v…
 *
 * and, where they are not the page's own, `&signalling=https://…` and `&ice=[{"urls":"stun:…"}]`.
 */
import * as v from 'valibot';
import { fromBase64url, toBase64url } from './base64url.ts';
import { LinkError } from './link-error.ts';
import type { RoomAddress } from './types.ts';

const roomKeyBytes = 32;

/** A fresh room key. */
export function makeRoomKey(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(roomKeyBytes));
}

/** The link that invites to a room, for the app served at `baseUrl`. Throws a `LinkError` if the address is not a valid one. */
export function makeRoomLink(baseUrl: string, address: RoomAddress): string {
  const { hostId, key, signallingUrl, iceServers } = address;
  const fields = new URLSearchParams({ room: hostId, key: toBase64url(key) });
  if (signallingUrl !== undefined) fields.set('signalling', signallingUrl);
  if (iceServers !== undefined) fields.set('ice', JSON.stringify(iceServers));
  const link = new URL(baseUrl);
  link.hash = fields.toString();
  parseRoomLink(link.href);
  return link.href;
}

/** Reads a room link. Throws a `LinkError` (`bad-room-link`) that names the part that is missing or damaged. */
export function parseRoomLink(link: string): RoomAddress {
  if (!URL.canParse(link)) throw badLink('it is not a web address');
  const given = Object.fromEntries(new URLSearchParams(new URL(link).hash.slice(1)));
  const fields = { room: '', key: '', ...given };
  const result = v.safeParse(FragmentSchema, fields, { abortEarly: true });
  if (!result.success) throw badLink(result.issues[0].message);
  const { room, key, signalling, ice } = result.output;
  return {
    hostId: room,
    key,
    ...(signalling !== undefined && { signallingUrl: signalling }),
    ...(ice !== undefined && { iceServers: ice }),
  };
}

function badLink(why: string): LinkError {
  return new LinkError(
    'bad-room-link',
    `This room link does not work: ${why}. Copy the whole link again, or scan its code.`,
  );
}

const KeySchema = v.pipe(
  v.string(),
  v.minLength(1, 'its key is missing'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const key = fromBase64url(dataset.value);
    if (key && key.length >= 16 && key.length <= 64) return key;
    addIssue({ message: 'its key is damaged or cut short' });
    return NEVER;
  }),
);

const SignallingUrlSchema = v.pipe(
  v.string(),
  v.maxLength(512, 'the address of its signalling server is too long'),
  v.check((text) => {
    if (!URL.canParse(text)) return false;
    const url = new URL(text);
    const plain =
      url.username === '' && url.password === '' && url.search === '' && url.hash === '';
    return plain && (url.protocol === 'https:' || url.protocol === 'http:');
  }, 'the address of its signalling server is not an http or https address'),
);

const IceUrlSchema = v.pipe(
  v.string(),
  v.maxLength(256),
  v.regex(/^(?:stuns?|turns?):[A-Za-z0-9.:[\]-]+(?:\?transport=(?:udp|tcp))?$/),
);

const IceServersSchema = v.pipe(
  v.string(),
  v.maxLength(4096, 'its list of STUN and TURN servers is too long'),
  v.parseJson(undefined, 'its list of STUN and TURN servers is damaged'),
  v.pipe(
    v.array(
      v.strictObject({
        urls: v.union([
          IceUrlSchema,
          v.pipe(v.array(IceUrlSchema), v.minLength(1), v.maxLength(4)),
        ]),
        username: v.exactOptional(v.pipe(v.string(), v.maxLength(512))),
        credential: v.exactOptional(v.pipe(v.string(), v.maxLength(512))),
      }),
    ),
    v.maxLength(8),
  ),
);

const FragmentSchema = v.object({
  room: v.pipe(
    v.string(),
    v.minLength(1, 'it names no room'),
    v.maxLength(64, 'the room’s name is too long'),
    v.regex(/^[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*$/, 'the room’s name is damaged'),
  ),
  key: KeySchema,
  signalling: v.optional(SignallingUrlSchema),
  ice: v.optional(
    v.config(IceServersSchema, { message: 'its list of STUN and TURN servers is damaged' }),
  ),
});

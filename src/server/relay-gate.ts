/**
 * What of TURN (RFC 8656) the relay's library gets to see: what browsers say, as they say it. Version 0.6.6 of
 * turn-server asks no credentials of a request that calls itself an indication, and takes a proof of one byte, which
 * anybody guesses.
 */

export interface TurnMessage {
  /** Method and class in one number, as on the wire. */
  type: number;
  transactionId: Buffer;
  attributes: readonly TurnAttribute[];
}

export interface TurnAttribute {
  type: number;
  value: Buffer;
}

const passedTypes = new Set([
  // Binding, asked and merely said (to keep a way through routers open).
  0x0001, 0x0011,
  // Requests to allocate, refresh, create a permission, bind a channel.
  0x0003, 0x0004, 0x0008, 0x0009,
  // Data on its way, said.
  0x0016,
]);
const headerBytes = 20;
const magicCookie = 0x2112a442;
const fingerprint = 0x8028;
/** Proofs of the key, each whole: a standard's shortened one is nothing that a browser sends. */
const proofBytes = new Map([
  [0x0008, 20],
  [0x001c, 32],
]);

export function passesGate(packet: Buffer): boolean {
  // Data on a channel that was bound before.
  if (packet.length >= 4 && packet[0] >> 4 === 4) return true;
  const message = readTurnMessage(packet);
  return message !== null && passedTypes.has(message.type) && isProvenWhole(message);
}

/** A proof covers what is before it: nothing but other proofs and the checksum may follow. */
function isProvenWhole({ attributes }: TurnMessage): boolean {
  const first = attributes.findIndex(({ type }) => proofBytes.has(type));
  if (first === -1) return true;
  return attributes
    .slice(first)
    .every(({ type, value }) => type === fingerprint || proofBytes.get(type) === value.length);
}

/** Null for what is no STUN message, or not exactly one. */
export function readTurnMessage(packet: Buffer): TurnMessage | null {
  if (packet.length < headerBytes || packet.length % 4 !== 0 || packet[0] >> 6 !== 0) return null;
  if (packet.readUInt32BE(4) !== magicCookie) return null;
  if (packet.readUInt16BE(2) !== packet.length - headerBytes) return null;
  const attributes: TurnAttribute[] = [];
  for (let at = headerBytes; at < packet.length;) {
    const length = packet.readUInt16BE(at + 2);
    const value = packet.subarray(at + 4, at + 4 + length);
    if (value.length < length) return null;
    attributes.push({ type: packet.readUInt16BE(at), value });
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { type: packet.readUInt16BE(0), transactionId: packet.subarray(8, 20), attributes };
}

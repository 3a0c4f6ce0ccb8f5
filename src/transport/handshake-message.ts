/** The messages of the handshake, and the check that whatever came is one of them. */
import * as v from 'valibot';

const refusals = ['version-mismatch', 'wrong-key', 'wrong-identity', 'bad-message'] as const;

export type Refusal = (typeof refusals)[number];

const VersionSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff));
/** 32 bytes in base64url. */
const Bytes32Schema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));
const FingerprintSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

export const HandshakeMessageSchema = v.variant('kind', [
  /** The first word of both sides: versions, and a nonce for the proof. */
  v.strictObject({
    kind: v.literal('hello'),
    protocol: v.literal('edgeshard'),
    version: VersionSchema,
    nonce: Bytes32Schema,
    /** The certificates at both ends, as the sender sees them. */
    localFingerprint: FingerprintSchema,
    remoteFingerprint: FingerprintSchema,
  }),
  /** Proves that this side holds the room key, bound to both certificates. */
  v.strictObject({ kind: v.literal('proof'), mac: Bytes32Schema }),
  /** The proof of the other side is right: the link may be used. */
  v.strictObject({ kind: v.literal('accept') }),
  /** The link is not to be, for this reason. */
  v.strictObject({
    kind: v.literal('refuse'),
    why: v.picklist(refusals),
    version: VersionSchema,
  }),
]);

/** What a `hello` of any version, past or to come, has in common. */
const AnyHelloSchema = v.object({
  kind: v.literal('hello'),
  protocol: v.literal('edgeshard'),
  version: VersionSchema,
});

export type HandshakeMessage = v.InferOutput<typeof HandshakeMessageSchema>;

/** The message; `other hello` for one that only another version could understand; null for anything else. */
export function parseHandshakeMessage(
  message: unknown,
): HandshakeMessage | { kind: 'other hello'; version: number } | null {
  const result = v.safeParse(HandshakeMessageSchema, message);
  if (result.success) return result.output;
  const hello = v.safeParse(AnyHelloSchema, message);
  return hello.success ? { kind: 'other hello', version: hello.output.version } : null;
}

/**
 * How two devices prove to each other that they hold the room's key, before either reads anything else.
 *
 * Both send `hello` (a fresh nonce, and the certificates that they see at the two ends of the connection), then
 * `proof`, then `accept`. A proof is
 *
 *     HMAC-SHA-256(room key, label ‖ role ‖ version ‖ dialler's nonce ‖ acceptor's nonce
 *                            ‖ prover's certificate ‖ other side's certificate as the prover sees it)
 *
 * so that it is worth nothing in another connection (nonces), sent back to its maker (role), or passed on by
 * someone who ends the encryption in between (certificates). Nobody speaks before both have accepted.
 *
 * This is the state machine alone: messages in, messages and an outcome out.
 */
import { cryptography } from '../base/cryptography.ts';
import { fromBase64url, toBase64url } from './base64url.ts';
import { LinkError } from './link-error.ts';
import { parseHandshakeMessage, type HandshakeMessage, type Refusal } from './handshake-message.ts';

export type HandshakeRole = 'dialler' | 'acceptor';

export interface HandshakeOptions {
  role: HandshakeRole;
  /** The room key. */
  key: Uint8Array<ArrayBuffer>;
  version: number;
  /** SHA-256 of the certificates at both ends of the connection, in hexadecimal. */
  localFingerprint: string;
  remoteFingerprint: string;
  /** Whose certificate it has to be, where that is known. */
  expectedFingerprint?: string;
}

export type HandshakeOutcome =
  { kind: 'pending' } | { kind: 'accepted' } | { kind: 'failed'; error: LinkError };

export interface HandshakeStep {
  send: HandshakeMessage[];
  outcome: HandshakeOutcome;
}

export interface Handshake {
  /** What to send first. */
  hello: HandshakeMessage;
  /** Takes the other side's next message, in order and one at a time. After `accepted` or `failed` it takes no more. */
  receive(message: unknown): Promise<HandshakeStep>;
}

type State =
  | { kind: 'awaiting hello' }
  | { kind: 'awaiting proof'; theirs: Statement }
  | { kind: 'awaiting accept' }
  | { kind: 'over' };

/** What a proof is about: one side's view of the connection. */
interface Statement {
  nonce: Uint8Array<ArrayBuffer>;
  localFingerprint: string;
  remoteFingerprint: string;
}

export function createHandshake(options: HandshakeOptions): Handshake {
  const { role, version, localFingerprint, remoteFingerprint } = options;
  const otherRole = role === 'dialler' ? 'acceptor' : 'dialler';
  const ours: Statement = {
    nonce: crypto.getRandomValues(new Uint8Array(32)),
    localFingerprint,
    remoteFingerprint,
  };
  const key = cryptography().importKey('raw', options.key, hmac, false, ['sign', 'verify']);
  let state: State = { kind: 'awaiting hello' };

  async function receive(message: unknown): Promise<HandshakeStep> {
    const now = state;
    // Set before anything is awaited: a message that comes meanwhile is out of turn.
    state = { kind: 'over' };
    const parsed = parseHandshakeMessage(message);
    if (now.kind === 'over' || parsed === null) return refuse('bad-message');
    if (parsed.kind === 'refuse') return fail(refusalError(parsed.why, version, parsed.version));

    switch (now.kind) {
      case 'awaiting hello':
        if (parsed.kind !== 'hello' && parsed.kind !== 'other hello') return refuse('bad-message');
        if (parsed.version !== version) return refuse('version-mismatch', parsed.version);
        if (parsed.kind !== 'hello') return refuse('bad-message');
        return answerHello({
          nonce: fromBase64url(parsed.nonce) ?? new Uint8Array(0),
          localFingerprint: parsed.localFingerprint,
          remoteFingerprint: parsed.remoteFingerprint,
        });
      case 'awaiting proof':
        if (parsed.kind !== 'proof') return refuse('bad-message');
        return judgeProof(now.theirs, fromBase64url(parsed.mac) ?? new Uint8Array(0));
      case 'awaiting accept':
        if (parsed.kind !== 'accept') return refuse('bad-message');
        return { send: [], outcome: { kind: 'accepted' } };
    }
  }

  async function answerHello(theirs: Statement): Promise<HandshakeStep> {
    if (sameBytes(theirs.nonce, ours.nonce)) return refuse('bad-message');
    if (remoteFingerprint === localFingerprint) return refuse('wrong-identity');
    if (
      options.expectedFingerprint !== undefined &&
      options.expectedFingerprint !== remoteFingerprint
    )
      return refuse('wrong-identity');
    const mac = await cryptography().sign(
      hmac,
      await key,
      statementBytes(role, ours, theirs.nonce),
    );
    state = { kind: 'awaiting proof', theirs };
    return pending({ kind: 'proof', mac: toBase64url(new Uint8Array(mac)) });
  }

  async function judgeProof(
    theirs: Statement,
    mac: Uint8Array<ArrayBuffer>,
  ): Promise<HandshakeStep> {
    // WebCrypto's own comparison, which takes the same time wherever two proofs differ.
    const statement = statementBytes(otherRole, theirs, ours.nonce);
    if (!(await cryptography().verify(hmac, await key, mac, statement))) return refuse('wrong-key');
    // Honest about a connection, but not about this one: somebody passes messages on between two of them.
    if (
      theirs.localFingerprint !== remoteFingerprint ||
      theirs.remoteFingerprint !== localFingerprint
    )
      return refuse('wrong-identity');
    state = { kind: 'awaiting accept' };
    return pending({ kind: 'accept' });
  }

  function statementBytes(
    prover: HandshakeRole,
    statement: Statement,
    otherNonce: Uint8Array,
  ): Uint8Array<ArrayBuffer> {
    const [diallerNonce, acceptorNonce] =
      prover === 'dialler' ? [statement.nonce, otherNonce] : [otherNonce, statement.nonce];
    // Every part has a fixed length, so no two statements share their bytes.
    return Uint8Array.from([
      ...new TextEncoder().encode('edgeshard proof'),
      prover === 'dialler' ? 1 : 2,
      ...new Uint8Array(Uint32Array.of(version).buffer),
      ...diallerNonce,
      ...acceptorNonce,
      ...hexBytes(statement.localFingerprint),
      ...hexBytes(statement.remoteFingerprint),
    ]);
  }

  function refuse(why: Refusal, theirVersion = version): HandshakeStep {
    const error = refusalError(why, version, theirVersion);
    return { send: [{ kind: 'refuse', why, version }], outcome: { kind: 'failed', error } };
  }

  return {
    hello: {
      kind: 'hello',
      protocol: 'edgeshard',
      version,
      nonce: toBase64url(ours.nonce),
      localFingerprint,
      remoteFingerprint,
    },
    receive,
  };
}

const hmac = { name: 'HMAC', hash: 'SHA-256' };

function pending(...send: HandshakeMessage[]): HandshakeStep {
  return { send, outcome: { kind: 'pending' } };
}

function fail(error: LinkError): HandshakeStep {
  return { send: [], outcome: { kind: 'failed', error } };
}

function refusalError(why: Refusal, ours: number, theirs: number): LinkError {
  return new LinkError(why, sentences[why](ours, theirs));
}

const sentences: Record<Refusal, (ours: number, theirs: number) => string> = {
  'version-mismatch': (ours, theirs) =>
    `This page speaks version ${ours} of the room’s protocol and the other device version ${theirs}: reload the page on both, so that they run the same one.`,
  'wrong-key': () =>
    'The room’s key does not fit: copy the whole room link again, or scan its code, and open that.',
  'wrong-identity': () =>
    'The device at the other end is not the one it should be, or someone is in between: leave the room and join again, on another network if it happens twice.',
  'bad-message': () =>
    'The other device broke the rules of the handshake, so it was not let in: reload the page on both devices.',
};

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function hexBytes(hex: string): number[] {
  return Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}

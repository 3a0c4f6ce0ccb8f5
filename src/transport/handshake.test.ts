import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HandshakeMessage } from './handshake-message.ts';
import { createHandshake, type Handshake, type HandshakeOptions } from './handshake.ts';

const hostPrint = 'a1'.repeat(32);
const devicePrint = 'b2'.repeat(32);
const strangerPrint = 'c3'.repeat(32);
const key = new Uint8Array(32).fill(7);

function dialler(options: Partial<HandshakeOptions> = {}): Handshake {
  return createHandshake({
    role: 'dialler',
    key,
    version: 1,
    localFingerprint: devicePrint,
    remoteFingerprint: hostPrint,
    ...options,
  });
}

function acceptor(options: Partial<HandshakeOptions> = {}): Handshake {
  return createHandshake({
    role: 'acceptor',
    key,
    version: 1,
    localFingerprint: hostPrint,
    remoteFingerprint: devicePrint,
    ...options,
  });
}

/** Delivers messages both ways until nobody has more to say; returns how each side ended. */
async function converse(a: Handshake, b: Handshake): Promise<[string, string]> {
  const toB: HandshakeMessage[] = [a.hello];
  const toA: HandshakeMessage[] = [b.hello];
  const ends: [string, string] = ['pending', 'pending'];
  for (;;) {
    const forA = ends[0] === 'pending' ? toA.shift() : undefined;
    const forB = ends[1] === 'pending' ? toB.shift() : undefined;
    if (!forA && !forB) return ends;
    if (forA) ends[0] = await deliver(a, forA, toB);
    if (forB) ends[1] = await deliver(b, forB, toA);
  }
}

async function deliver(
  to: Handshake,
  message: unknown,
  replies: HandshakeMessage[],
): Promise<string> {
  // As it would arrive: through JSON.
  const { send, outcome } = await to.receive(JSON.parse(JSON.stringify(message)));
  replies.push(...send);
  return outcome.kind === 'failed' ? outcome.error.code : outcome.kind;
}

async function proofOf(prover: Handshake, hello: HandshakeMessage): Promise<HandshakeMessage> {
  const { send } = await prover.receive(hello);
  const proof = send.find(({ kind }) => kind === 'proof');
  if (!proof) throw new Error('no proof was sent');
  return proof;
}

describe('two devices that hold the room key', () => {
  it('accept each other', async () => {
    expect(await converse(dialler(), acceptor())).toEqual(['accepted', 'accepted']);
  });

  it('accept each other under the identities that the host vouched for', async () => {
    const ends = await converse(
      dialler({ expectedFingerprint: hostPrint }),
      acceptor({ expectedFingerprint: devicePrint }),
    );
    expect(ends).toEqual(['accepted', 'accepted']);
  });
});

describe('a device is refused', () => {
  it('with another key, and both are told so', async () => {
    const ends = await converse(dialler({ key: new Uint8Array(32).fill(8) }), acceptor());
    expect(ends).toEqual(['wrong-key', 'wrong-key']);
  });

  it('of another version, with a sentence that names both', async () => {
    expect(await converse(dialler({ version: 2 }), acceptor())).toEqual([
      'version-mismatch',
      'version-mismatch',
    ]);
    const { outcome } = await acceptor().receive(dialler({ version: 2 }).hello);
    expect(outcome.kind === 'failed' && outcome.error.message).toMatch(/version 1 .* version 2/);
  });

  it('of a version whose hello looks different altogether', async () => {
    const { outcome } = await acceptor().receive({
      kind: 'hello',
      protocol: 'edgeshard',
      version: 9,
      q: 1,
    });
    expect(outcome.kind === 'failed' && outcome.error.code).toBe('version-mismatch');
  });

  it('when it is not the one that the host introduced, though it holds the key', async () => {
    const ends = await converse(dialler({ expectedFingerprint: strangerPrint }), acceptor());
    expect(ends).toEqual(['wrong-identity', 'wrong-identity']);
  });

  it('when it would talk to itself', async () => {
    const ends = await converse(
      dialler({ remoteFingerprint: devicePrint }),
      acceptor({ localFingerprint: devicePrint }),
    );
    expect(ends).toEqual(['wrong-identity', 'wrong-identity']);
  });
});

describe('a man in the middle', () => {
  it('who passes honest messages on between two connections of his own is found out by both', async () => {
    const ends = await converse(
      dialler({ remoteFingerprint: strangerPrint }),
      acceptor({ remoteFingerprint: strangerPrint }),
    );
    expect(ends).toEqual(['wrong-identity', 'wrong-identity']);
  });

  it('who also rewrites the certificates that each names is found out', async () => {
    const a = dialler({ remoteFingerprint: strangerPrint });
    const b = acceptor({ remoteFingerprint: strangerPrint });
    const proof = await proofOf(a, {
      ...b.hello,
      localFingerprint: strangerPrint,
      remoteFingerprint: devicePrint,
    } as HandshakeMessage);
    await b.receive({ ...a.hello, localFingerprint: strangerPrint, remoteFingerprint: hostPrint });
    const { outcome } = await b.receive(proof);
    expect(outcome.kind === 'failed' && outcome.error.code).toBe('wrong-key');
  });
});

describe('a stranger without the key', () => {
  it('gains nothing by replaying a proof from an earlier connection', async () => {
    const device = dialler();
    const earlier = await proofOf(device, acceptor().hello);
    const victim = acceptor();
    await victim.receive(device.hello);
    const { outcome } = await victim.receive(earlier);
    expect(outcome.kind === 'failed' && outcome.error.code).toBe('wrong-key');
  });

  it('gains nothing by sending back what it was sent', async () => {
    const victim = acceptor();
    const { outcome } = await victim.receive(victim.hello);
    expect(outcome.kind === 'failed' && outcome.error.code).toBe('bad-message');
  });

  it('gains nothing by sending the victim’s own proof back under a nonce of its own', async () => {
    const victim = acceptor();
    const stranger = dialler();
    const proof = await proofOf(victim, stranger.hello);
    const { outcome } = await victim.receive(proof);
    expect(outcome.kind === 'failed' && outcome.error.code).toBe('wrong-key');
  });

  it('gains nothing by reflecting through a second connection in the other role', async () => {
    // The same device accepts one connection and dials another; the stranger swaps their nonces and proofs.
    const accepting = acceptor({ remoteFingerprint: strangerPrint });
    const dialling = dialler({ localFingerprint: hostPrint, remoteFingerprint: strangerPrint });
    const proof = await proofOf(dialling, accepting.hello);
    await accepting.receive(dialling.hello);
    const { outcome } = await accepting.receive(proof);
    expect(outcome.kind === 'failed' && outcome.error.code).toBe('wrong-identity');
  });

  it('cannot skip the proof', async () => {
    for (const skipping of [[{ kind: 'accept' }], [dialler().hello, { kind: 'accept' }]]) {
      const victim = acceptor();
      let last = 'pending';
      for (const message of skipping) last = await deliver(victim, message, []);
      expect(last).toBe('bad-message');
    }
  });

  it('cannot hurry: a second message while the first is being judged is out of turn', async () => {
    const victim = acceptor();
    const device = dialler();
    const proof = await proofOf(device, victim.hello);
    const first = victim.receive(device.hello);
    const second = await victim.receive(proof);
    expect(second.outcome.kind).toBe('failed');
    await first;
  });

  it('is never accepted for anything it may send', async () => {
    const words = fc.constantFrom('hello', 'proof', 'accept', 'refuse', 'edgeshard', 'wrong-key');
    const message = fc.oneof(
      fc.jsonValue(),
      fc.record({ kind: words, mac: fc.base64String(), version: fc.nat(), nonce: fc.string() }),
      fc.record({ kind: fc.constant('proof'), mac: fc.string({ minLength: 43, maxLength: 43 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 4 }), fc.boolean(), async (sent, polite) => {
        const victim = acceptor();
        if (polite) await victim.receive(dialler().hello);
        for (const one of sent) {
          const { outcome } = await victim.receive(one);
          expect(outcome.kind).not.toBe('accepted');
        }
      }),
    );
  });
});

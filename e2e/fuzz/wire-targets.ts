/** The parsers of what travels: slices of frames, pieces of large messages, and the handshake. */
import * as v from 'valibot';
import { createBulkReceiver, encodePiece, type BulkKind } from '../../src/transport/bulk-piece.ts';
import { encodeFrame, type FrameKind } from '../../src/transport/frame.ts';
import { HandshakeMessageSchema } from '../../src/transport/handshake-message.ts';
import { createHandshake } from '../../src/transport/handshake.ts';
import { LinkError } from '../../src/transport/link-error.ts';
import { createReassembler, defaultReassemblerOptions } from '../../src/transport/reassembler.ts';
import { messagesByKind } from './message-values.ts';
import { below, oneOf, randomBytes, spoiltBytes, spoiltValue, type Random } from './mutate.ts';
import { crash, tryOn, type Target, type TargetOptions } from './target.ts';

const isLinkError = (error: unknown): boolean => error instanceof LinkError;

export function randomFrame(
  random: Random,
  kind: FrameKind,
  numberOf: (sequence: number) => number,
): Uint8Array<ArrayBuffer>[] {
  const sequence = below(random, 6);
  const bytes = random() < 0.9 ? below(random, 3000) : below(random, 40_000);
  const hop = { stage: 1, queueUs: below(random, 1e6), computeUs: 5, wireUs: 6 };
  const header = {
    flags: below(random, 3),
    dtype: below(random, 3),
    planVersion: below(random, 4),
    sequence,
    step: below(random, 300),
    stage: below(random, 4),
    hops: Array.from({ length: below(random, 3) }, () => hop),
  };
  return encodeFrame(header, new Uint8Array(bytes), { kind, number: numberOf(sequence) });
}

/** Slices in, frames out: in order, replayed, out of order, spoilt, or noise. */
export function reassemblerTarget(options: TargetOptions): Target {
  const { random, tally } = options;
  const name = 'reassembler';
  tally.expect(name, ['frame', 'echo', 'echo reply', 'replay']);
  let reassembler = createReassembler();
  let next = new Map<number, number>();
  let sent: Uint8Array<ArrayBuffer>[] = [];

  function renew(): void {
    reassembler = createReassembler();
    next = new Map();
    sent = [];
  }

  function numberOf(sequence: number): number {
    const due = next.get(sequence) ?? 0;
    if (random() < 0.1) return due + below(random, 400);
    next.set(sequence, due + 1);
    return due;
  }

  function feedOne(type: string, message: Uint8Array<ArrayBuffer>): void {
    const went = tryOn(options, [name, type], () => reassembler.receive(message), isLinkError);
    const { pendingBytes, pendingFrames } = reassembler;
    const { maxPendingBytes, maxPendingFrames } = defaultReassemblerOptions;
    if (pendingBytes > maxPendingBytes || pendingFrames > maxPendingFrames)
      throw crash(name, type, `${pendingFrames} frames of ${pendingBytes} bytes are held`);
    // A sender that was refused is not heard again.
    if (!went) renew();
  }

  return {
    name,
    feed(count) {
      let fed = 0;
      while (fed < count) {
        const kind = oneOf(random, ['frame', 'frame', 'echo', 'echo reply'] as const);
        const slices = randomFrame(random, kind, numberOf);
        for (const slice of slices) {
          fed++;
          const fate = random();
          if (fate < 0.75) feedOne(kind, slice);
          else if (fate < 0.9) feedOne(kind, spoiltBytes(slice, random));
          else if (fate < 0.97 && sent.length > 0) {
            // Cut short now and then: a replay that is no longer whole.
            const again = oneOf(random, sent);
            feedOne('replay', random() < 0.1 ? again.slice(0, -1) : again);
          } else feedOne(kind, randomBytes(random, below(random, 200)));
          sent.push(slice);
          if (sent.length > 50) sent.shift();
        }
      }
      return Promise.resolve(fed);
    },
    close: () => Promise.resolve(),
  };
}

/** Pieces of large messages: whole, out of turn, too long, or noise. */
export function bulkTarget(options: TargetOptions): Target {
  const { random, tally } = options;
  const name = 'bulk receiver';
  tally.expect(name, ['message', 'burst']);
  let number = 0;
  const newReceiver = () =>
    createBulkReceiver({
      due: () => number,
      onMessage() {
        number++;
      },
      onBurst: () => undefined,
    });
  let receiver = newReceiver();

  function pieces(kind: BulkKind): Uint8Array<ArrayBuffer>[] {
    const total = below(random, 20_000);
    const size = 1 + below(random, 8000);
    const own = kind === 'burst' ? 0 : number + (random() < 0.05 ? below(random, 3) - 1 : 0);
    const header = { kind, number: Math.max(0, own), total };
    const made: Uint8Array<ArrayBuffer>[] = [];
    for (let offset = 0; offset < total || offset === 0; offset += size)
      made.push(encodePiece({ ...header, offset }, new Uint8Array(Math.min(size, total - offset))));
    return made;
  }

  return {
    name,
    feed(count) {
      let fed = 0;
      while (fed < count) {
        const kind = oneOf(random, ['message', 'burst'] as const);
        for (const piece of pieces(kind)) {
          fed++;
          const given = random() < 0.9 ? piece : spoiltBytes(piece, random);
          if (tryOn(options, [name, kind], () => receiver.receive(given), isLinkError)) continue;
          receiver = newReceiver();
          break;
        }
      }
      return Promise.resolve(fed);
    },
    close: () => Promise.resolve(),
  };
}

/** Both sides' messages of a proof: honest, replayed from another one, spoilt, or out of turn. */
export function handshakeTarget(options: TargetOptions): Target {
  const { random, tally, seed } = options;
  const name = 'handshake';
  const corpus = messagesByKind(HandshakeMessageSchema, seed, 40);
  tally.expect(name, corpus.keys());
  const key = new Uint8Array(32).fill(3);
  const fingerprints = ['aa'.repeat(32), 'bb'.repeat(32)] as const;
  const overheard: { kind: string; message: unknown }[] = [];

  function begin(role: 'dialler' | 'acceptor') {
    const [localFingerprint, remoteFingerprint] =
      role === 'dialler' ? fingerprints : [fingerprints[1], fingerprints[0]];
    return createHandshake({ role, key, version: 1, localFingerprint, remoteFingerprint });
  }

  function hostile(): { kind: string; message: unknown } {
    const kind = oneOf(random, [...corpus.keys()]);
    const message = oneOf(random, corpus.get(kind) ?? []);
    if (random() < 0.4 && overheard.length > 0) return oneOf(random, overheard);
    return { kind, message: random() < 0.5 ? message : spoiltValue(message, random) };
  }

  /** One proof, with a hostile message now and then in an honest one's place; how many messages it took. */
  async function attempt(): Promise<number> {
    const [near, far] = [begin('acceptor'), begin('dialler')];
    const said: unknown[] = [far.hello];
    let hasProof = false;
    for (let turn = 1; ; turn++) {
      const honest = said.shift();
      const isAttack = honest === undefined || random() < 0.25;
      const given = isAttack ? hostile() : { kind: kindOf(honest), message: honest };
      const { outcome, send } = await near.receive(given.message);
      hasProof ||= !isAttack && given.kind === 'proof';
      if (outcome.kind === 'accepted' && !hasProof)
        throw crash(name, given.kind, 'it was let in without a proof');
      const valid = v.is(HandshakeMessageSchema, given.message);
      tally.note(name, given.kind, { valid, refused: outcome.kind === 'failed' });
      if (outcome.kind !== 'pending') return turn;
      if (isAttack) continue;
      overheard.push(given);
      if (overheard.length > 60) overheard.shift();
      for (const message of turn === 1 ? [near.hello, ...send] : send)
        said.push(...(await far.receive(message)).send);
    }
  }

  return {
    name,
    async feed(count) {
      let fed = 0;
      while (fed < count) fed += await attempt();
      return fed;
    },
    close: () => Promise.resolve(),
  };
}

function kindOf(message: unknown): string {
  return typeof message === 'object' && message && 'kind' in message ? String(message.kind) : '';
}

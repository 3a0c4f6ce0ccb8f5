/**
 * A device's links to two others: one is honest and exchanges pieces and frames all the while, the other says
 * whatever it likes, in the link's own messages, in frames and in large messages.
 */
import * as v from 'valibot';
import { LinkMessageSchema } from '../../src/transport/link-message.ts';
import { openHostileLink, openNear, roomKey, type HostileLink } from './hostile-link.ts';
import { messagesByKind } from './message-values.ts';
import { below, oneOf, spoiltBytes, spoiltValue } from './mutate.ts';
import type { Target, TargetOptions } from './target.ts';
import { randomFrame } from './wire-targets.ts';
import {
  type BulkHeader,
  BulkHeaderSchema,
  decodeBulk,
  encodeBulk,
} from '../../src/room/protocol/index.ts';
import { createPeers } from '../../src/room/links/index.ts';
import { createPieceExchange } from '../../src/room/pieces/index.ts';

/** Links take so many messages at once, and end with whoever says more. */
const perLink = 700;
const honestEvery = 50;

export async function linkTarget({ random, seed, tally }: TargetOptions): Promise<Target> {
  const messages = messagesByKind(LinkMessageSchema, seed, 60);
  const headers = messagesByKind(BulkHeaderSchema, seed, 60);
  const frameKinds = ['frame', 'echo', 'echo reply'] as const;
  tally.expect('link', [...messages.keys(), ...frameKinds]);
  tally.expect('large message', headers.keys());
  const kept = Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff);
  const piece = { file: 0, offset: 0, bytes: kept.length, sha256: null };

  const framesFrom: Record<string, number> = {};
  const exchange = createPieceExchange({
    send: (deviceId, message) => peers.sendBulk(deviceId, message),
    lookUp: ({ offset, bytes }) => Promise.resolve(kept.slice(offset, offset + bytes)),
  });
  const peers = createPeers({
    deviceId: 'host',
    dial: () => Promise.reject(new Error('nobody is dialled here')),
    key: roomKey,
  });
  peers.handle({
    onFrame: (from) => (framesFrom[from] = (framesFrom[from] ?? 0) + 1),
    onBulk: (from, message) => exchange.receive(from, message),
    onLost: (deviceId) => exchange.lost(deviceId),
  });

  const open = (deviceId: string): Promise<HostileLink> =>
    openHostileLink(1, async (connection) => peers.add(deviceId, await openNear(connection, 1)));
  const honest = await open('a');
  const asking = createPieceExchange({
    send: (_, message) => honest.far.sendBulk(message),
    lookUp: () => Promise.resolve(null),
  });
  honest.far.onBulk((bytes) => asking.receive('host', decodeBulk(bytes)));

  async function expectHonestExchange(): Promise<void> {
    const before = framesFrom['a'] ?? 0;
    const header = {
      flags: 0,
      dtype: 0,
      planVersion: 1,
      sequence: 1,
      step: before,
      stage: 1,
      hops: [],
    };
    honest.far.sendFrame(header, kept);
    const got = await asking.ask('host', piece);
    if (framesFrom['a'] !== before + 1 || !got || Buffer.compare(got, kept) !== 0)
      throw new Error('an honest device was disturbed: its frame or its piece did not come');
  }

  let hostile: HostileLink | null = null;
  let said = 0;
  /** Of the room's messages, as an honest end would count them. */
  let roomNumber = 0;
  const numbers = new Map<number, number>();

  async function openAgain(): Promise<HostileLink> {
    hostile?.close();
    hostile = await open('x');
    said = roomNumber = 0;
    numbers.clear();
    return hostile;
  }

  function sayControl(link: HostileLink): Promise<void> {
    const kind = oneOf(random, [...messages.keys()]);
    const message: unknown = oneOf(random, messages.get(kind) ?? []);
    // Room messages and receipts are counted: right ones must name the next number.
    const right = kind === 'room' ? { ...(message as object), number: ++roomNumber } : message;
    const given: unknown = random() < 0.75 ? right : (spoiltValue(right, random) ?? null);
    link.say('control', random() < 0.99 ? JSON.stringify(given) : 'no JSON {');
    const valid = v.is(LinkMessageSchema, given);
    // Being told goodbye is no refusal; it ends the link all the same.
    const refused = !link.isOpen && !(kind === 'bye' && valid);
    tally.note('link', kind, { valid, refused });
    return Promise.resolve();
  }

  function sayFrame(link: HostileLink): Promise<void> {
    const kind = oneOf(random, frameKinds);
    const slices = randomFrame(random, kind, (sequence) => {
      const number = numbers.get(sequence) ?? 0;
      numbers.set(sequence, number + 1);
      return number;
    });
    for (const slice of slices) {
      link.say('tokens', random() < 0.85 ? slice : spoiltBytes(slice, random));
      tally.note('link', kind, { valid: link.isOpen, refused: !link.isOpen });
      if (!link.isOpen) break;
    }
    return Promise.resolve();
  }

  async function sayBulk(link: HostileLink): Promise<void> {
    const kind = oneOf(random, [...headers.keys()]);
    const header = oneOf(random, headers.get(kind) ?? []) as unknown as BulkHeader;
    const small = header.kind === 'want' ? { ...header, bytes: 1 + below(random, 5000) } : header;
    const whole = encodeBulk(small, new Uint8Array(below(random, 3000)));
    const isWhole = random() < 0.6;
    const had = await link.far.sendBulk(isWhole ? whole : spoiltBytes(whole, random)).then(
      () => true,
      () => false,
    );
    tally.note('large message', kind, { valid: isWhole, refused: !had || !link.isOpen });
  }

  return {
    name: 'links',
    async feed(count) {
      let link = hostile?.isOpen ? hostile : await openAgain();
      for (let fed = 0; fed < count; fed++) {
        if (!link.isOpen || said++ > perLink) link = await openAgain();
        await oneOf(random, [sayControl, sayControl, sayFrame, sayBulk])(link);
        if (fed % honestEvery === 0) await expectHonestExchange();
      }
      return count;
    },
    close() {
      peers.closeAll('the end');
      honest.close();
      hostile?.close();
      return Promise.resolve();
    },
  };
}

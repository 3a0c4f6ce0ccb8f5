/** Who is believed of bytes that are not the model's: nobody's word, only the bytes. */
import { describe, expect, it } from 'vitest';
import type { PieceOrigin } from '../../../store/piece-origin.ts';
import { memoryCache } from '../../../store/fixtures/memory-cache.ts';
import { shardModel, type ShardModel } from '../../../store/fixtures/shard-model.ts';
import { sha256Hex } from '../../../store/read-manifest.ts';
import { piecesOfLayer, type Piece } from '../../../store/layer-pieces.ts';
import { decodeBulk } from '../../protocol/bulk-message.ts';
import { createPieceExchange, type PieceExchange } from '../../pieces/piece-exchange.ts';
import { newMember, type Member } from '../membership/members.ts';
import { createSharedModel, type SharedModel } from './shared-model.ts';

const hashed = shardModel({ hashed: true });
const plain = shardModel({ hashed: false });

interface SharingRoom {
  shared: SharedModel;
  done: string[];
  piece: Piece;
}

/** Devices `b`, `c` and `d` keep layer 1; `gives` says what else than the model's bytes one of them sends. */
function open(
  model: ShardModel,
  gives: (device: string, bytes: Uint8Array) => Uint8Array | null = (_, bytes) => bytes,
): SharingRoom {
  const done: string[] = [];
  const devices = new Map<string, PieceExchange>();
  const members = new Map<string, Member>(
    ['host', 'a', 'b', 'c', 'd'].map((id) => [id, newMember(id, 'Chrome', null)]),
  );
  const origin = source(model);
  const shared = createSharedModel({
    model: {
      manifest: model.manifest,
      manifestBytes: null,
      address: { kind: 'given', sha256: 'a'.repeat(64), baseUrl: null },
      origin,
    },
    cache: memoryCache(),
    roster: { members, notice: (sentence) => done.push(sentence) },
    sendBulk(to, message) {
      const decoded = decodeBulk(message.slice());
      setImmediate(() => devices.get(to)?.receive('host', decoded));
      return Promise.resolve();
    },
    remove(deviceId) {
      members.delete(deviceId);
      done.push(`removed ${deviceId}`);
    },
    onFalseAccusation: (deviceId, reason) => done.push(`${deviceId} lies: ${reason}`),
  });
  for (const id of ['b', 'c', 'd'])
    devices.set(
      id,
      createPieceExchange({
        send(_, message) {
          const decoded = decodeBulk(message.slice());
          setImmediate(() => shared.receive(id, decoded));
          return Promise.resolve();
        },
        lookUp: async (piece) =>
          gives(id, await origin.read({ ...piece, sha256: null }, () => undefined)),
      }),
    );
  for (const id of devices.keys()) shared.keeps(id, 1, []);
  return { shared, done, piece: piecesOfLayer(model.manifest, 1)[0] };
}

function source({ manifest, files }: ShardModel): PieceOrigin {
  return {
    name: 'outside',
    read: ({ file, offset, bytes }) =>
      Promise.resolve(
        files.get(manifest.files[file].path)?.slice(offset, offset + bytes) ?? new Uint8Array(),
      ),
  };
}

function forged(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  changed[100] ^= 1;
  return changed;
}

describe('a device that says another gave it bytes that are not the model’s', () => {
  it('gets nobody dropped who gives the right ones: the two only pass nothing to each other', async () => {
    const { shared, done, piece } = open(hashed);
    shared.accuse('a', 'b', piece);
    shared.accuse('a', 'b', piece);
    await shared.settled();
    expect(done).toEqual([
      expect.stringMatching(/^Chrome \(a\) says that Chrome \(b\) gave it bytes/),
    ]);
    expect(shared.sourcesOf([1], 'a')[0].devices).toEqual(['c', 'd']);
    expect(shared.sourcesOf([1], 'c')[0].devices).toEqual(['b', 'd']);
  });

  it('is at fault itself when it says so of several', async () => {
    const { shared, done, piece } = open(hashed);
    shared.accuse('a', 'b', piece);
    shared.accuse('a', 'c', piece);
    await shared.settled();
    expect(done.filter((each) => !each.startsWith('Chrome'))).toEqual([
      'a lies: It says of several devices that they gave it bytes that are not the model’s.',
    ]);
  });

  it('is at fault at once when it says so of the host', async () => {
    const { shared, done, piece } = open(hashed);
    await shared.reader.readLayers([1], () => Promise.resolve());
    shared.accuse('a', 'host', piece);
    await shared.settled();
    expect(done).toEqual(['a lies: It says that the host gave it bytes that are not the model’s.']);
  });

  it('is right where the host is given such bytes too: the other is removed, and named', async () => {
    const { shared, done, piece } = open(hashed, (id, bytes) =>
      id === 'b' ? forged(bytes) : bytes,
    );
    shared.accuse('a', 'b', piece);
    await shared.settled();
    expect(done).toEqual([
      "Chrome (b) gave bytes that are not the model's, and was removed.",
      'removed b',
    ]);
  });

  it('is not asked by one that gives the host nothing, and nobody is removed for that', async () => {
    const { shared, done, piece } = open(hashed, (id, bytes) => (id === 'b' ? null : bytes));
    shared.accuse('a', 'b', piece);
    await shared.settled();
    expect(done).toHaveLength(1);
    expect(shared.sourcesOf([1], 'a')[0].devices).toEqual(['c', 'd']);
  });

  it('may have been told a false hash: then who told it is removed, and not who gave the bytes', async () => {
    const { shared, done, piece } = open(plain);
    const pieces = piecesOfLayer(plain.manifest, 1);
    const bytes = await Promise.all(
      pieces.map((each) => source(plain).read(each, () => undefined)),
    );
    const hashes = await Promise.all(bytes.map(sha256Hex));
    // One of its hashes is looked up when it tells them: until then it tells the truth.
    shared.keeps('c', 1, hashes);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const other = piecesOfLayer(plain.manifest, 2);
    shared.keeps(
      'c',
      2,
      other.map(() => 'f'.repeat(64)),
    );
    expect(done).toEqual([]);
    shared.accuse('a', 'b', other[0]);
    shared.accuse('a', 'd', piece);
    await shared.settled();
    expect(done[1]).toBe('removed c');
    expect(done.join()).not.toMatch(/removed [bd]/);
  });

  it('is not heard about what it could not have checked', () => {
    const { shared, piece } = open(plain);
    expect(() => shared.accuse('a', 'b', piece)).toThrow('bytes that nobody could have checked');
    expect(() => shared.accuse('a', 'b', { ...piece, offset: 3 })).toThrow('nobody could');
  });
});

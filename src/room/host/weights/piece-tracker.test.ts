import { describe, expect, it } from 'vitest';
import type { PieceOrigin } from '../../../store/piece-origin.ts';
import { sha256Hex } from '../../../store/read-manifest.ts';
import { piecesOfLayer } from '../../../store/layer-pieces.ts';
import { shardModel } from '../../../store/fixtures/shard-model.ts';
import { createPieceTracker, type PieceTracker } from './piece-tracker.ts';

const hashed = shardModel({ hashed: true });
const plain = shardModel({ hashed: false });

/** Reads the model's files as they are. */
function outside({ manifest, files }: typeof plain): PieceOrigin {
  return {
    name: 'outside',
    read: ({ file, offset, bytes }) =>
      Promise.resolve(
        files.get(manifest.files[file].path)?.slice(offset, offset + bytes) ?? new Uint8Array(),
      ),
  };
}

function open(model: typeof plain): { tracker: PieceTracker; falseAccusers: string[] } {
  const falseAccusers: string[] = [];
  const tracker = createPieceTracker({
    manifest: model.manifest,
    outside: outside(model),
    onFalseAccusation: (deviceId) => falseAccusers.push(deviceId),
  });
  return { tracker, falseAccusers };
}

async function hashesOf(layer: number): Promise<string[]> {
  const source = outside(plain);
  return Promise.all(
    piecesOfLayer(plain.manifest, layer).map(async (piece) =>
      sha256Hex(await source.read(piece, () => undefined)),
    ),
  );
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a piece tracker', () => {
  it('knows who keeps a layer, and tells everybody but the asker', () => {
    const { tracker } = open(hashed);
    tracker.keeps('a', 1, []);
    tracker.keeps('host', 1, []);
    tracker.keeps('b', 2, []);
    const sha256 = piecesOfLayer(hashed.manifest, 1).map((piece) => piece.sha256);
    expect(tracker.sourcesOf([1], 'b')).toEqual([{ layer: 1, devices: ['a', 'host'], sha256 }]);
    expect(tracker.sourcesOf([1, 2], 'a').map(({ devices }) => devices)).toEqual([['host'], ['b']]);
    const [piece] = piecesOfLayer(hashed.manifest, 1);
    expect(tracker.holdersOf(piece)).toEqual({ devices: ['a'], sha256: piece.sha256 });
    tracker.left('a');
    expect(tracker.holdersOf(piece).devices).toEqual([]);
  });

  it('passes on hashes that a device found, where the manifest knows none', async () => {
    const { tracker, falseAccusers } = open(plain);
    const hashes = await hashesOf(1);
    expect(tracker.sourcesOf([1], 'b')).toEqual([{ layer: 1, devices: [], sha256: [] }]);
    tracker.keeps('a', 1, hashes);
    await settle();
    expect(tracker.sourcesOf([1], 'b')).toEqual([{ layer: 1, devices: ['a'], sha256: hashes }]);
    expect(falseAccusers).toEqual([]);
  });

  it('finds out a device whose hashes its source does not bear out', async () => {
    const { tracker, falseAccusers } = open(plain);
    const lie = (await hashesOf(2)).map(() => 'f'.repeat(64));
    tracker.keeps('a', 2, lie);
    await settle();
    expect(falseAccusers).toEqual(['a']);
    expect(tracker.sourcesOf([2], 'b')).toEqual([{ layer: 2, devices: [], sha256: [] }]);
  });

  it('does not list a device that disagrees with what is known, or tells too little', async () => {
    const { tracker } = open(plain);
    const hashes = await hashesOf(1);
    tracker.keeps('a', 1, hashes);
    tracker.keeps(
      'b',
      1,
      hashes.map(() => 'f'.repeat(64)),
    );
    tracker.keeps('c', 1, hashes.slice(1));
    await settle();
    expect(tracker.sourcesOf([1], 'd')).toEqual([{ layer: 1, devices: ['a'], sha256: hashes }]);
  });
});

import { describe, expect, it } from 'vitest';
import type { PieceOrigin } from './piece-origin.ts';
import { sha256Hex } from './read-manifest.ts';
import type { Piece } from './layer-pieces.ts';
import { swarmOrigin, type SwarmOptions, type SwarmOrigin } from './swarm-origin.ts';

const whole = new Uint8Array([1, 2, 3, 4]);
const forged = new Uint8Array([1, 2, 3, 5]);
const sha256 = await sha256Hex(whole);

function pieceAt(offset: number): Piece {
  return { file: 0, offset, bytes: whole.length, sha256: null };
}

interface Swarm {
  origin: SwarmOrigin;
  asked: string[];
  forgers: string[];
  /** Pieces that came from outside. */
  outside: number[];
}

/** A swarm of devices and the bytes that each gives; null for none. */
function swarm(
  devices: Record<string, Uint8Array<ArrayBuffer> | null>,
  known: string | null = sha256,
  ask?: SwarmOptions['ask'],
): Swarm {
  const asked: string[] = [];
  const forgers: string[] = [];
  const outside: number[] = [];
  const source: PieceOrigin = {
    name: 'outside',
    read(piece, onBytes) {
      outside.push(piece.offset);
      onBytes(whole.length);
      return Promise.resolve(whole);
    },
  };
  const origin = swarmOrigin('model', {
    holders: () => ({ devices: Object.keys(devices), sha256: known }),
    ask:
      ask ??
      ((device) => {
        asked.push(device);
        return Promise.resolve(devices[device]);
      }),
    outside: source,
    onHashMismatch: (device) => forgers.push(device),
  });
  return { origin, asked, forgers, outside };
}

describe('swarmOrigin', () => {
  it('takes a piece from another device and asks outside for nothing', async () => {
    const { origin, outside } = swarm({ a: whole });
    const counts: number[] = [];
    expect(await origin.read(pieceAt(0), (count) => counts.push(count))).toEqual(whole);
    expect(outside).toEqual([]);
    expect(counts).toEqual([4]);
    expect(origin).toMatchObject({ bytesFromDevices: 4, bytesFromOutside: 0 });
  });

  it('names a device that gives other bytes, and goes on with the next', async () => {
    const { origin, forgers, outside } = swarm({ a: forged, b: forged, c: whole });
    expect(await origin.read(pieceAt(0), () => undefined)).toEqual(whole);
    expect(forgers.length + outside.length).toBeLessThanOrEqual(2);
    const alone = swarm({ a: forged });
    expect(await alone.origin.read(pieceAt(0), () => undefined)).toEqual(whole);
    expect(alone.forgers).toEqual(['a']);
    expect(alone.outside).toEqual([0]);
    expect(alone.origin.bytesFromOutside).toBe(4);
  });

  it('asks outside where no device has the piece after all', async () => {
    const { origin, asked, outside, forgers } = swarm({ a: null, b: null });
    expect(await origin.read(pieceAt(8), () => undefined)).toEqual(whole);
    expect(asked.sort()).toEqual(['a', 'b']);
    expect(outside).toEqual([8]);
    expect(forgers).toEqual([]);
  });

  it('takes nothing from devices that it could not check', async () => {
    const { origin, asked, outside } = swarm({ a: whole }, null);
    await origin.read(pieceAt(0), () => undefined);
    expect(asked).toEqual([]);
    expect(outside).toEqual([0]);
  });

  it('spreads pieces over the devices that have them', async () => {
    const { origin, asked } = swarm({ a: whole, b: whole, c: whole });
    for (let index = 0; index < 60; index++)
      await origin.read(pieceAt(index * 4 * 1024 * 1024), () => undefined);
    for (const device of ['a', 'b', 'c'])
      expect(asked.filter((name) => name === device).length).toBeGreaterThan(10);
  });

  it('ends when it is no longer wanted, without going outside', async () => {
    const ending = new AbortController();
    const { origin, outside } = swarm({ a: whole }, sha256, () => {
      ending.abort(new Error('another plan'));
      return Promise.resolve(null);
    });
    await expect(origin.read(pieceAt(0), () => undefined, ending.signal)).rejects.toThrow(
      'another plan',
    );
    expect(outside).toEqual([]);
  });
});

/** Devices give each other pieces of the model that they keep. What comes is checked by its hash, not by who sent it. */
import type { Piece } from '../../store/layer-pieces.ts';
import { createAllowance, type Allowance } from '../../transport/index.ts';
import { createServingLine } from './serving-line.ts';
import { type BulkHeader, type BulkMessage, encodeBulk } from '../protocol/index.ts';

export interface PieceExchangeOptions {
  /** Sends a large message; rejects when there is no link. */
  send: (deviceId: string, message: Uint8Array) => Promise<void>;
  /** A piece that this device can give away; null if it has none. */
  lookUp: (piece: Omit<Piece, 'sha256'>) => Promise<Uint8Array | null>;
}

export interface PieceExchange {
  /** The piece, unchecked; null when that device cannot give it. */
  ask(
    deviceId: string,
    piece: Piece,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer> | null>;
  /**
   * Takes a large message of kinds `want`, `piece`, `no-piece`. Throws one sentence if nobody asked for it, or
   * its sender asks without end.
   */
  receive(deviceId: string, message: BulkMessage): void;
  /** Nothing more will come from that device. */
  lost(deviceId: string): void;
}

type Wish = Extract<BulkHeader, { kind: 'want' }>;

interface Asked {
  deviceId: string;
  bytes: number;
  settle: (piece: Uint8Array<ArrayBuffer> | null) => void;
}

/** Wishes of one device: a model's layers at once, then half a GB a second; no device loads faster. */
const wishAllowance = { burst: 1024, perSecond: 128 };
/** A device that stalls must not hold up a load for longer: others have the piece too. */
const patienceMs = 30_000;

export function createPieceExchange(options: PieceExchangeOptions): PieceExchange {
  const asked = new Map<number, Asked>();
  const line = createServingLine();
  const wishes = new Map<string, Allowance>();
  let lastRequest = 0;

  async function serve(deviceId: string, { request, file, offset, bytes }: Wish): Promise<void> {
    const found = await options.lookUp({ file, offset, bytes }).catch(() => null);
    if (!found) await refuse(deviceId, request);
    // Whoever asked may have left meanwhile.
    else
      await options
        .send(deviceId, encodeBulk({ kind: 'piece', request }, found))
        .catch(() => undefined);
  }

  async function refuse(deviceId: string, request: number): Promise<void> {
    await options.send(deviceId, encodeBulk({ kind: 'no-piece', request })).catch(() => undefined);
  }

  function takeWish(deviceId: string, wish: Wish): void {
    const mayWish = wishes.get(deviceId) ?? createAllowance(wishAllowance);
    wishes.set(deviceId, mayWish);
    if (!mayWish.take(1))
      throw new Error('This device asked for more of the model than any device can load.');
    const isTaken = line.add(deviceId, () => serve(deviceId, wish));
    // Told at once, it asks another device instead of waiting for this one.
    if (!isTaken) void refuse(deviceId, wish.request);
  }

  return {
    ask(deviceId, { file, offset, bytes }, signal) {
      const request = ++lastRequest;
      return new Promise((resolve) => {
        const settle = (piece: Uint8Array<ArrayBuffer> | null): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', giveUp);
          asked.delete(request);
          resolve(piece);
        };
        const giveUp = (): void => settle(null);
        const timer = setTimeout(giveUp, patienceMs);
        signal?.addEventListener('abort', giveUp);
        asked.set(request, { deviceId, bytes, settle });
        options
          .send(deviceId, encodeBulk({ kind: 'want', request, file, offset, bytes }))
          .catch(giveUp);
      });
    },
    receive(deviceId, { header, body }) {
      switch (header.kind) {
        case 'manifest':
          throw new Error(`${deviceId} sent a manifest that nobody waited for`);
        case 'boundary-states':
        case 'recompute':
        case 'recomputed':
          throw new Error(`${deviceId} sent a ${header.kind}, which nobody here asked for`);
        case 'want':
          takeWish(deviceId, header);
          return;
        case 'piece':
        case 'no-piece': {
          const wish = asked.get(header.request);
          // An answer that came too late is no offence.
          if (wish?.deviceId !== deviceId) return;
          const isWhole = header.kind === 'piece' && body.length === wish.bytes;
          wish.settle(isWhole ? body.slice() : null);
        }
      }
    },
    lost(deviceId) {
      for (const wish of [...asked.values()]) if (wish.deviceId === deviceId) wish.settle(null);
      line.lost(deviceId);
      wishes.delete(deviceId);
    },
  };
}

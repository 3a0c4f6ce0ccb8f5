/** Devices give each other pieces of the model that they keep. What comes is checked by its hash, not by who sent it. */
import type { Piece } from '../../store/layer-pieces.ts';
import { createAllowance, type Allowance } from '../../transport/index.ts';
import { createServingLine } from './serving-line.ts';
import {
  type BulkHandlers,
  type BulkHeader,
  type BulkMessage,
  dispatch,
  encodeBulk,
  type MessageOf,
  unaskedBulk,
} from '../protocol/index.ts';

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
  /** Each throws one sentence where the sender asks without end. */
  readonly handlers: Pick<BulkHandlers, 'want' | 'piece' | 'no-piece'>;
  /** Takes a large message of these kinds where no other is awaited. Throws one sentence for what nobody asked for. */
  receive(deviceId: string, message: BulkMessage): void;
  /** Nothing more will come from that device. */
  lost(deviceId: string): void;
}

type Wish = MessageOf<BulkHeader, 'want'>;

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

  function takeAnswer(
    deviceId: string,
    request: number,
    piece: Uint8Array<ArrayBuffer> | null,
  ): void {
    const wish = asked.get(request);
    // An answer that came too late is no offence.
    if (wish?.deviceId !== deviceId) return;
    wish.settle(piece?.length === wish.bytes ? piece.slice() : null);
  }

  const handlers: PieceExchange['handlers'] = {
    want: (from, _, wish) => takeWish(from, wish),
    piece: (from, body, { request }) => takeAnswer(from, request, body),
    'no-piece': (from, _, { request }) => takeAnswer(from, request, null),
  };
  const table: BulkHandlers = { ...unaskedBulk, ...handlers };

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
    handlers,
    receive: (deviceId, { header, body }) => dispatch(table, header, deviceId, body),
    lost(deviceId) {
      for (const wish of [...asked.values()]) if (wish.deviceId === deviceId) wish.settle(null);
      line.lost(deviceId);
      wishes.delete(deviceId);
    },
  };
}

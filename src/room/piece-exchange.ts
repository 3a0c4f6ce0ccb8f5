/** Devices give each other pieces of the model that they keep. What comes is checked by its hash, not by who sent it. */
import type { Piece } from '../store/row-pieces.ts';
import { encodeBulk, type BulkMessage } from './bulk-message.ts';

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
  /** Takes a large message of kinds `want`, `piece`, `no-piece`. Throws one sentence if nobody asked for it. */
  receive(deviceId: string, message: BulkMessage): void;
  /** Nothing more will come from that device. */
  lost(deviceId: string): void;
}

interface Asked {
  deviceId: string;
  bytes: number;
  settle: (piece: Uint8Array<ArrayBuffer> | null) => void;
}

/** Pieces given to one device at a time: each is read into memory before it is sent. */
const servedAtOnce = 4;
/** Wishes of one device that wait; an honest one has no more than a few under way. */
const maxWaiting = 32;
/** A device that stalls must not hold up a load for longer: others have the piece too. */
const patienceMs = 30_000;

export function createPieceExchange(options: PieceExchangeOptions): PieceExchange {
  const asked = new Map<number, Asked>();
  const serving = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();
  let lastRequest = 0;

  async function serve(
    deviceId: string,
    { request, ...piece }: { request: number; file: number; offset: number; bytes: number },
  ): Promise<void> {
    const found = await options.lookUp(piece).catch(() => null);
    const answer = found
      ? encodeBulk({ kind: 'piece', request }, found)
      : encodeBulk({ kind: 'no-piece', request });
    // Whoever asked may have left meanwhile.
    await options.send(deviceId, answer).catch(() => undefined);
  }

  async function takeTurn(deviceId: string, work: () => Promise<void>): Promise<void> {
    const line = waiting.get(deviceId) ?? [];
    waiting.set(deviceId, line);
    if ((serving.get(deviceId) ?? 0) >= servedAtOnce) {
      if (line.length >= maxWaiting)
        throw new Error(`${deviceId} asks for more pieces at once than one device can need`);
      await new Promise<void>((resolve) => line.push(resolve));
    }
    serving.set(deviceId, (serving.get(deviceId) ?? 0) + 1);
    try {
      await work();
    } finally {
      serving.set(deviceId, (serving.get(deviceId) ?? 1) - 1);
      line.shift()?.();
    }
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
        case 'seen':
        case 'recompute':
        case 'recomputed':
          throw new Error(`${deviceId} sent a ${header.kind}, which nobody here asked for`);
        case 'want':
          takeTurn(deviceId, () => serve(deviceId, header)).catch(() => undefined);
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
      waiting.delete(deviceId);
      serving.delete(deviceId);
    },
  };
}

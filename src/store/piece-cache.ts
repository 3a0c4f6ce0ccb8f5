/**
 * Keeps pieces of models, and the ONNX Runtime binary, in IndexedDB: behind a self-signed certificate
 * a browser keeps no HTTP cache, and a second visit should fetch nothing. Models that were not used for
 * long go when others need their place.
 *
 * Where IndexedDB is refused (private windows) or full, everything still works without it; `problem`
 * then says why, for the screen.
 */
import * as v from 'valibot';
import { indexedDbEntries, type Entries } from './entries.ts';
import { dropLeastUsed, limitBytes, makeRoom, noteUse, readPieceKey } from './kept-models.ts';

export interface Kept {
  bytes: Uint8Array<ArrayBuffer>;
  /** Of the bytes as they were put; null where nobody computed it. To be checked by whoever uses them. */
  sha256: string | null;
}

export interface PieceCache {
  /** Why not everything is being kept, or null while all is well. */
  readonly problem: string | null;
  /** This model is in use now: it is the last to go. */
  use(modelId: string, title: string): Promise<void>;
  get(key: string): Promise<Kept | undefined>;
  put(key: string, kept: Kept): Promise<void>;
  remove(key: string): Promise<void>;
  keys(): Promise<string[]>;
}

/** A browser's storage outlives many versions of this app: what another one put there is not taken for granted. */
const KeptSchema = v.object({
  bytes: v.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array),
  sha256: v.nullable(v.string()),
});

export function openPieceCache(entries: Entries = indexedDbEntries()): PieceCache {
  let problem: string | null = null;
  /** Once refused, not asked again: each attempt would cost time, and fail. */
  let isRefused = false;

  async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (isRefused) return undefined;
    try {
      return await work();
    } catch (error) {
      if (isFull(error)) {
        problem = noRoom;
      } else {
        isRefused = true;
        problem = noStorage;
      }
      return undefined;
    }
  }

  async function putPiece(
    key: string,
    piece: { modelId: string; bytes: number },
    kept: Kept,
  ): Promise<void> {
    if (!(await makeRoom(entries, piece.modelId, piece.bytes, await limitBytes(entries)))) {
      problem = overLimit;
      return;
    }
    for (;;) {
      try {
        await entries.set(key, kept);
        return;
      } catch (error) {
        // The disk is fuller than the limit assumes: other models make place, as far as they can.
        if (!isFull(error) || !(await dropLeastUsed(entries, piece.modelId))) throw error;
      }
    }
  }

  return {
    get problem() {
      return problem;
    },
    async use(modelId, title) {
      await attempt(() => noteUse(entries, modelId, title));
    },
    async get(key) {
      const value = v.safeParse(KeptSchema, await attempt(() => entries.get(key)));
      return value.success ? value.output : undefined;
    },
    async put(key, kept) {
      const piece = readPieceKey(key);
      await attempt(() => (piece ? putPiece(key, piece, kept) : entries.set(key, kept)));
    },
    async remove(key) {
      await attempt(() => entries.delete([key]));
    },
    async keys() {
      return (await attempt(() => entries.keys())) ?? [];
    },
  };
}

function isFull(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}

const noRoom =
  'This browser has no room left to keep the model, so it will be fetched again next time.';
const noStorage =
  'This browser keeps no data for this page (a private window?), so the model will be fetched again next time.';
const overLimit =
  'This model is larger than what may be kept on this device, so a part of it will be fetched again next time.';

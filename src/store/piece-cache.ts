/**
 * Keeps pieces of models, and the ONNX Runtime binary, in IndexedDB, so that a second visit fetches nothing.
 * The browser's HTTP cache does not work behind a self-signed certificate. Models are dropped, least recently
 * used first, when others need their room.
 *
 * If IndexedDB is refused (private windows) or full, everything still works, and `problem` says why nothing
 * is kept.
 */
import * as v from 'valibot';
import { storageFailure, withSecondTry } from '../base/storage-failure.ts';
import { indexedDbEntries, type Entries } from './entries.ts';
import { dropLeastUsed, limitBytes, makeRoom, noteUse, readPieceKey } from './kept-models.ts';

export interface Kept {
  bytes: Uint8Array<ArrayBuffer>;
  /** The hash of the bytes when they were put, for the reader to check; null if it was not computed. */
  sha256: string | null;
}

export interface PieceCache {
  /** Why something is not kept, in a sentence for the screen; null if all is well. */
  readonly problem: string | null;
  /** Marks this model as in use, so it is dropped last. */
  use(modelId: string, title: string): Promise<void>;
  get(key: string): Promise<Kept | undefined>;
  put(key: string, kept: Kept): Promise<void>;
  remove(key: string): Promise<void>;
  keys(): Promise<string[]>;
}

/** After both tries failed: a database that comes back does so within seconds. */
const restMs = 30_000;

/** The storage may have values of another version of this app, so they are checked. */
const KeptSchema = v.object({
  bytes: v.custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array),
  sha256: v.nullable(v.string()),
});

export function openPieceCache(entries: Entries = indexedDbEntries()): PieceCache {
  let problem: string | null = null;
  /** Until then nothing is tried again: each attempt would cost time and fail. */
  let restsUntilMs = -Infinity;

  async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() < restsUntilMs) return undefined;
    try {
      const result = await withSecondTry(work);
      if (problem === noStorage) problem = null;
      return result;
    } catch (error) {
      const failure = storageFailure(error);
      switch (failure) {
        case 'full':
          problem = noRoom;
          break;
        case 'refused':
        case 'passing':
          problem = noStorage;
          restsUntilMs = failure === 'refused' ? Infinity : performance.now() + restMs;
          break;
        case 'value':
          break;
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
        // The disk is fuller than the limit assumes, so other models are dropped if there are any.
        if (storageFailure(error) !== 'full' || !(await dropLeastUsed(entries, piece.modelId)))
          throw error;
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

const noRoom =
  'This browser has no room left to keep the model, so it will be fetched again next time.';
const noStorage =
  'This browser keeps no data for this page (a private window?), so the model will be fetched again next time.';
const overLimit =
  'This model is larger than what may be kept on this device, so a part of it will be fetched again next time.';

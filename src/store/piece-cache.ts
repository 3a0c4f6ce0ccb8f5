/**
 * Keeps pieces of models, and the ONNX Runtime binary, in IndexedDB: behind a self-signed certificate
 * a browser keeps no HTTP cache, and a second visit should fetch nothing.
 *
 * Where IndexedDB is refused (private windows) or full, everything still works without it; `problem`
 * then says why, for the screen.
 */
import { createStore, del, get, keys, set, type UseStore } from 'idb-keyval';

export interface PieceCache {
  /** Why nothing is being kept, or null while all is well. */
  readonly problem: string | null;
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  remove(key: string): Promise<void>;
  keys(): Promise<string[]>;
}

export function openPieceCache(): PieceCache {
  let problem: string | null = null;
  let store: UseStore | null = null;

  async function attempt<T>(work: (store: UseStore) => Promise<T>): Promise<T | undefined> {
    if (problem !== null) return undefined;
    try {
      store ??= createStore('edgeshard', 'pieces');
      return await work(store);
    } catch (error) {
      problem = describeProblem(error);
      return undefined;
    }
  }

  return {
    get problem() {
      return problem;
    },
    async get(key) {
      const value = await attempt((kept) => get<unknown>(key, kept));
      return value instanceof Uint8Array ? (value as Uint8Array<ArrayBuffer>) : undefined;
    },
    async put(key, bytes) {
      await attempt((kept) => set(key, bytes, kept));
    },
    async remove(key) {
      await attempt((kept) => del(key, kept));
    },
    async keys() {
      return (await attempt((kept) => keys<string>(kept))) ?? [];
    },
  };
}

function describeProblem(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'QuotaExceededError')
    return 'This browser has no room left to keep the model, so it will be fetched again next time.';
  return 'This browser keeps no data for this page (a private window?), so the model will be fetched again next time.';
}

/** Storage in the browser between visits: values by key, in IndexedDB. */
import { createStore, delMany, get, keys, set, type UseStore } from 'idb-keyval';

/** Every call rejects if the browser refuses to keep data or has no room left. */
export interface Entries {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(keys: string[]): Promise<void>;
  keys(): Promise<string[]>;
}

export function indexedDbEntries(): Entries {
  let opened: UseStore | null = null;
  /** Opened at first use, because opening throws in a browser without IndexedDB. */
  const store = (): UseStore => (opened ??= createStore('edgeshard', 'pieces'));
  return {
    get: async (key) => get<unknown>(key, store()),
    set: async (key, value) => set(key, value, store()),
    delete: async (gone) => delMany(gone, store()),
    keys: async () => keys<string>(store()),
  };
}

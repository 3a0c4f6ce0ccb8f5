/** What the browser keeps for this app between visits: values by key, in IndexedDB. */
import { createStore, delMany, get, keys, set, type UseStore } from 'idb-keyval';

/** Every call rejects where the browser refuses to keep data, or has no room left. */
export interface Entries {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(keys: string[]): Promise<void>;
  keys(): Promise<string[]>;
}

export function indexedDbEntries(): Entries {
  let opened: UseStore | null = null;
  /** Not before the first use: opening throws where there is no IndexedDB at all. */
  const store = (): UseStore => (opened ??= createStore('edgeshard', 'pieces'));
  return {
    get: async (key) => get<unknown>(key, store()),
    set: async (key, value) => set(key, value, store()),
    delete: async (gone) => delMany(gone, store()),
    keys: async () => keys<string>(store()),
  };
}

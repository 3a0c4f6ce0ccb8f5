/** Storage in the browser between visits: values by key, in IndexedDB. */
import { delMany, get, keys, set } from 'idb-keyval';
import { reopenedStore } from '../base/reopened-store.ts';

/** Every call rejects if the browser refuses to keep data or has no room left. After a failure the next call may work. */
export interface Entries {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(keys: string[]): Promise<void>;
  keys(): Promise<string[]>;
}

export function indexedDbEntries(): Entries {
  const store = reopenedStore('edgeshard', 'pieces');
  return {
    get: (key) => get<unknown>(key, store),
    set: (key, value) => set(key, value, store),
    delete: (gone) => delMany(gone, store),
    keys: () => keys<string>(store),
  };
}

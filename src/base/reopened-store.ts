/** Values by key in IndexedDB, where a connection that the browser closed is not the end. */
import { createStore, type UseStore } from 'idb-keyval';

/**
 * A store that opens its database at first use, and again after a call failed: a browser may close the connection
 * (Safari in the background, storage cleared, another version wanted), and idb-keyval would go on using it.
 *
 * Every call rejects if the browser refuses to keep data. What was asked of a lost connection is not asked again here;
 * see `withSecondTry`.
 */
export function reopenedStore(databaseName: string, storeName: string): UseStore {
  let opened: UseStore | null = null;
  return async (mode, use) => {
    // Not before, because opening throws in a browser without IndexedDB.
    const store = (opened ??= createStore(databaseName, storeName));
    try {
      return await store(mode, use);
    } catch (error) {
      if (opened === store) opened = null;
      throw error;
    }
  };
}

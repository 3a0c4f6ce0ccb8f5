import { get, set } from 'idb-keyval';
import { afterEach, expect, it, vi } from 'vitest';
import { reopenedStore } from './reopened-store.ts';
import { withSecondTry } from './storage-failure.ts';

afterEach(() => vi.unstubAllGlobals());

/** A browser's database in little: each opening gives a connection, which may be closed. */
function fakeIndexedDb() {
  const values = new Map<string, unknown>();
  const connections: { isClosed: boolean }[] = [];

  function succeed(request: Record<string, unknown>, result: unknown): void {
    queueMicrotask(() => {
      request['result'] = result;
      (request['onsuccess'] as () => void)();
    });
  }

  function connect() {
    const connection = { isClosed: false };
    connections.push(connection);
    return {
      transaction() {
        if (connection.isClosed)
          throw new DOMException('The database connection is closing.', 'InvalidStateError');
        const transaction: Record<string, unknown> = {};
        return {
          objectStore: () => ({
            transaction,
            get(key: string) {
              const request = {};
              succeed(request, values.get(key));
              return request;
            },
            put(value: unknown, key: string) {
              values.set(key, value);
              queueMicrotask(() => (transaction['oncomplete'] as () => void)());
            },
          }),
        };
      },
    };
  }

  vi.stubGlobal('indexedDB', {
    open() {
      const request = {};
      succeed(request, connect());
      return request;
    },
  });
  return { connections };
}

it('opens the database once, and anew after its connection was closed', async () => {
  const { connections } = fakeIndexedDb();
  const store = reopenedStore('a', 'b');
  await set('key', 1, store);
  expect(await get('key', store)).toBe(1);
  expect(connections).toHaveLength(1);
  connections[0].isClosed = true;
  await expect(get('key', store)).rejects.toThrow('closing');
  expect(await get('key', store)).toBe(1);
  expect(connections).toHaveLength(2);
  connections[1].isClosed = true;
  await withSecondTry(() => set('key', 2, store));
  expect(await get('key', store)).toBe(2);
  expect(connections).toHaveLength(3);
});

it('opens one new database for calls that fail together', async () => {
  const { connections } = fakeIndexedDb();
  const store = reopenedStore('a', 'b');
  await set('key', 1, store);
  connections[0].isClosed = true;
  const read = () => withSecondTry(() => get('key', store));
  expect(await Promise.all([read(), read(), read()])).toEqual([1, 1, 1]);
  expect(connections).toHaveLength(2);
});

it('rejects, and does not throw, where there is no IndexedDB', async () => {
  const store = reopenedStore('a', 'b');
  await expect(get('key', store)).rejects.toThrow('indexedDB');
});

/** What a failure of the browser's storage means: for good, for this moment, or for this one value. */

export type StorageFailure =
  /** The browser keeps nothing for this page. */
  | 'refused'
  /** The disk, or the page's share of it, is full. */
  | 'full'
  /** This one value is damaged or cannot be kept; others can. */
  | 'value'
  /** The connection to the database was lost, or one transaction failed. */
  | 'passing';

/** By the names of the Indexed Database API and of WebIDL. */
export function storageFailure(error: unknown): StorageFailure {
  // A request that fails inside of a transaction reaches idb-keyval before the transaction has a reason.
  if (error === null || error === undefined) return 'passing';
  const name = typeof error === 'object' && 'name' in error ? error.name : '';
  switch (name) {
    case 'QuotaExceededError':
      return 'full';
    case 'NotReadableError':
    case 'DataError':
    case 'DataCloneError':
      return 'value';
    case 'InvalidStateError':
    case 'AbortError':
    case 'UnknownError':
    case 'TransactionInactiveError':
    case 'TimeoutError':
    case 'VersionError':
      return 'passing';
    default:
      // SecurityError; ReferenceError and TypeError where there is no IndexedDB.
      return 'refused';
  }
}

/** Does the work once more if it failed in passing. Rejects with what the last try rejected with. */
export async function withSecondTry<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (storageFailure(error) !== 'passing') throw error;
    return work();
  }
}

/** What this browser keeps on disk for the app, for the screen that shows and clears it. */
import { withSecondTry } from '../base/storage-failure.ts';
import { indexedDbEntries, type Entries } from './entries.ts';
import { dropModel, keptModels, limitBytes, setLimitBytes, type KeptModel } from './kept-models.ts';

export interface StorageUsage {
  /** Least recently used first; models are dropped in this order if there is no room. */
  models: KeptModel[];
  /** The sum of all models. */
  bytes: number;
  /** The most that is kept; see `setStorageLimit`. */
  limitBytes: number;
}

/** Null if the browser keeps nothing for this page, as in private windows. */
export async function storageUsage(
  entries: Entries = indexedDbEntries(),
): Promise<StorageUsage | null> {
  try {
    return await withSecondTry(async () => {
      const models = await keptModels(entries);
      return {
        models,
        bytes: models.reduce((sum, { bytes }) => sum + bytes, 0),
        limitBytes: await limitBytes(entries),
      };
    });
  } catch {
    // Whatever the browser's reason to refuse, nothing is kept.
    return null;
  }
}

/**
 * Drops the model with this id. Without an id it drops everything kept, including the compute runtime. A
 * running room continues, because its layers are in memory.
 */
export async function clearStorage(
  modelId?: string,
  entries: Entries = indexedDbEntries(),
): Promise<void> {
  await withSecondTry(() => dropModel(entries, modelId));
}

/** Sets the most bytes of models to keep. Models over it are dropped when the next piece is kept. */
export async function setStorageLimit(
  bytes: number,
  entries: Entries = indexedDbEntries(),
): Promise<void> {
  await withSecondTry(() => setLimitBytes(entries, bytes));
}

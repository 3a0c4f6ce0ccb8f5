/** What this browser keeps on this device's disk for the app, for a screen that shows and clears it. */
import { indexedDbEntries, type Entries } from './entries.ts';
import { dropModel, keptModels, limitBytes, setLimitBytes, type KeptModel } from './kept-models.ts';

export interface StorageUsage {
  /** Least recently used first: in this order they go when there is no room. */
  models: KeptModel[];
  /** Of all models together. */
  bytes: number;
  /** No more than this is kept; see `setStorageLimit`. */
  limitBytes: number;
}

/** Null where the browser keeps nothing for this page, as in private windows. */
export async function storageUsage(
  entries: Entries = indexedDbEntries(),
): Promise<StorageUsage | null> {
  try {
    const models = await keptModels(entries);
    return {
      models,
      bytes: models.reduce((sum, { bytes }) => sum + bytes, 0),
      limitBytes: await limitBytes(entries),
    };
  } catch {
    // The browser refuses, whatever its reason: there is nothing kept to speak of.
    return null;
  }
}

/**
 * Drops the model of this id; without one, everything kept, the compute runtime included. A room that runs
 * goes on: it holds its layers in memory.
 */
export async function clearStorage(
  modelId?: string,
  entries: Entries = indexedDbEntries(),
): Promise<void> {
  await dropModel(entries, modelId);
}

/** Bytes of models to keep at most; models over it go when the next piece is kept. */
export async function setStorageLimit(
  bytes: number,
  entries: Entries = indexedDbEntries(),
): Promise<void> {
  await setLimitBytes(entries, bytes);
}

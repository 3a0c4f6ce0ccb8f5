/**
 * The rows this device holds: brings them from the store into the engine, and drops them. A change of
 * plan moves only the rows that move.
 */
import type { Engine, LoadedRow, WeightType } from '../engine/engine.ts';
import type { ShardReader } from '../store/shard-reader.ts';

export interface ShardHolder {
  rows(): number[];
  /** Bytes that the loaded rows occupy on this device. */
  memoryBytes(): number;
  /** Loads what is missing of `rows`. On failure, rows loaded so far stay, and the error says which failed. */
  load(
    rows: readonly number[],
    onProgress: (bytesRead: number, bytesTotal: number) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Unloads every row that is not among `rows`. */
  keepOnly(rows: readonly number[]): Promise<void>;
}

export function createShardHolder(
  engine: Engine,
  reader: Pick<ShardReader, 'readRows'>,
  weights: WeightType,
  onLoaded: (row: number) => void,
): ShardHolder {
  const held = new Map<number, LoadedRow>();
  // One change at a time: a second plan must not load a row that the first is still loading.
  let last: Promise<void> = Promise.resolve();

  function inTurn(work: () => Promise<void>): Promise<void> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  return {
    rows: () => [...held.keys()].sort((a, b) => a - b),
    memoryBytes: () => [...held.values()].reduce((sum, row) => sum + row.memoryBytes, 0),
    load: (rows, onProgress, signal) =>
      inTurn(async () => {
        signal.throwIfAborted();
        const missing = rows.filter((row) => !held.has(row));
        await reader.readRows(
          missing,
          async (row, tensors) => {
            held.set(row, await engine.loadRow(row, tensors, weights));
            onLoaded(row);
          },
          onProgress,
          signal,
        );
      }),
    keepOnly: (rows) =>
      inTurn(async () => {
        for (const row of [...held.keys()]) {
          if (rows.includes(row)) continue;
          held.delete(row);
          await engine.unloadRow(row);
        }
      }),
  };
}

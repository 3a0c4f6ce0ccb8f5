/**
 * The rows this device holds: brings them from the store into the engine, and drops them. A change of
 * plan moves only the rows that move.
 */
import type { Engine, LoadedRow, WeightType } from '../../engine/engine.ts';
import type { ShardReader } from '../../store/shard-reader.ts';
import type { SelfProof } from './self-proof.ts';

export interface ShardHolder {
  rows(): number[];
  /** Bytes that the loaded rows occupy on this device. */
  memoryBytes(): number;
  /**
   * Loads what is missing of `rows`, and has each prove itself. On failure, rows loaded so far stay, and the
   * error says which failed: a `WrongResult` where one computes wrongly, which is not kept.
   */
  load(
    rows: readonly number[],
    onProgress: (bytesRead: number, bytesTotal: number) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Has every loaded row prove itself once more. */
  proveAgain(): Promise<void>;
  /**
   * Has `use` find this row in the engine with these weights: the one that is held, or one that is loaded for it
   * and goes again. Rejects where the row is held with other weights.
   */
  borrow(row: number, weights: WeightType, use: () => Promise<void>): Promise<void>;
  /** Has the bytes of these rows on this device, loading nothing; gives way to everything else. */
  fetch(rows: readonly number[], signal: AbortSignal): Promise<void>;
  /** Unloads every row that is not among `rows`. */
  keepOnly(rows: readonly number[]): Promise<void>;
}

export function createShardHolder(
  engine: Engine,
  reader: Pick<ShardReader, 'readRows' | 'fetchRows'>,
  weights: WeightType,
  proof: SelfProof,
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

  async function drop(row: number, because: unknown): Promise<never> {
    held.delete(row);
    await engine.unloadRow(row);
    throw because;
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
            const loaded = await engine.loadRow(row, tensors, weights);
            held.set(row, loaded);
            await proof.prove(loaded).catch((error: unknown) => drop(row, error));
            onLoaded(row);
          },
          onProgress,
          signal,
        );
      }),
    proveAgain: () =>
      inTurn(async () => {
        for (const loaded of held.values()) await proof.prove(loaded);
      }),
    borrow: (row, wanted, use) =>
      inTurn(async () => {
        const own = held.get(row);
        if (own && !serves(own.weights, wanted))
          throw new Error(`Row ${row} is in use here with ${own.weights}, not ${wanted}.`);
        if (own) return use();
        await reader.readRows([row], async (_, tensors) => {
          const loaded = await engine.loadRow(row, tensors, wanted);
          try {
            await proof.prove(loaded);
            await use();
          } finally {
            await engine.unloadRow(row);
          }
        });
      }),
    fetch: (rows, signal) =>
      reader.fetchRows(
        rows.filter((row) => !held.has(row)),
        signal,
      ),
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

/** Devices without 16-bit arithmetic stand in for those with it. */
function serves(weights: WeightType, wanted: WeightType): boolean {
  return weights === wanted || (weights === 'f32' && wanted === 'f16');
}

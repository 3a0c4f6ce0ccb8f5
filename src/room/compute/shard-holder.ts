/**
 * The layers that this device holds. They are brought from the store into the engine, and dropped again. A layer that
 * two plans have in common stays where it is.
 */
import type { Engine, LoadedLayer, WeightType } from '../../engine/engine.ts';
import type { ShardReader } from '../../store/shard-reader.ts';
import type { SelfProof } from './self-proof.ts';

export interface ShardHolder {
  layers(): number[];
  /** Bytes that the loaded layers occupy on this device. */
  memoryBytes(): number;
  /**
   * Loads what is missing of `layers`, and has each prove itself. On failure, layers loaded so far stay, and the
   * error says which failed: a `WrongResult` where one computes wrongly, which is not kept.
   */
  load(
    layers: readonly number[],
    onProgress: (bytesRead: number, bytesTotal: number) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Has every loaded layer prove itself once more. */
  proveAgain(): Promise<void>;
  /**
   * Has `use` find this layer in the engine with these weights: the one that is held, or one that is loaded for it
   * and goes again. Rejects where the layer is held with other weights.
   */
  borrow(layer: number, weights: WeightType, use: () => Promise<void>): Promise<void>;
  /** Has the bytes of these layers on this device, loading nothing; gives way to everything else. */
  fetch(layers: readonly number[], signal: AbortSignal): Promise<void>;
  /** Unloads every layer that is not among `layers`. */
  keepOnly(layers: readonly number[]): Promise<void>;
}

export function createShardHolder(
  engine: Engine,
  reader: Pick<ShardReader, 'readLayers' | 'fetchLayers'>,
  weights: WeightType,
  proof: SelfProof,
  onLoaded: (layer: number) => void,
): ShardHolder {
  const held = new Map<number, LoadedLayer>();
  // One change at a time: a second plan must not load a layer that the first is still loading.
  let last: Promise<void> = Promise.resolve();

  function inTurn(work: () => Promise<void>): Promise<void> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  async function drop(layer: number, because: unknown): Promise<never> {
    held.delete(layer);
    await engine.unloadLayer(layer);
    throw because;
  }

  return {
    layers: () => [...held.keys()].sort((a, b) => a - b),
    memoryBytes: () => [...held.values()].reduce((sum, layer) => sum + layer.memoryBytes, 0),
    load: (layers, onProgress, signal) =>
      inTurn(async () => {
        signal.throwIfAborted();
        const missing = layers.filter((layer) => !held.has(layer));
        await reader.readLayers(
          missing,
          async (layer, tensors) => {
            const loaded = await engine.loadLayer(layer, tensors, weights);
            held.set(layer, loaded);
            await proof.prove(loaded).catch((error: unknown) => drop(layer, error));
            onLoaded(layer);
          },
          onProgress,
          signal,
        );
      }),
    proveAgain: () =>
      inTurn(async () => {
        for (const loaded of held.values()) await proof.prove(loaded);
      }),
    borrow: (layer, wanted, use) =>
      inTurn(async () => {
        const own = held.get(layer);
        if (own && !serves(own.weights, wanted))
          throw new Error(`Layer ${layer} is in use here with ${own.weights}, not ${wanted}.`);
        if (own) return use();
        await reader.readLayers([layer], async (_, tensors) => {
          const loaded = await engine.loadLayer(layer, tensors, wanted);
          try {
            await proof.prove(loaded);
            await use();
          } finally {
            await engine.unloadLayer(layer);
          }
        });
      }),
    fetch: (layers, signal) =>
      reader.fetchLayers(
        layers.filter((layer) => !held.has(layer)),
        signal,
      ),
    keepOnly: (layers) =>
      inTurn(async () => {
        for (const layer of [...held.keys()]) {
          if (layers.includes(layer)) continue;
          held.delete(layer);
          await engine.unloadLayer(layer);
        }
      }),
  };
}

/** Devices without 16-bit arithmetic stand in for those with it. */
function serves(weights: WeightType, wanted: WeightType): boolean {
  return weights === wanted || (weights === 'f32' && wanted === 'f16');
}

/** Tells the host which layers this device keeps the bytes of, so that others get them from here. */
import type { Manifest } from '../../../model/manifest.ts';
import type { ShardReader } from '../../../store/shard-reader.ts';
import type { DeviceMessage } from '../../protocol/index.ts';

export interface LayerOffers {
  /** This layer has been loaded, so its pieces can be passed on. */
  keeps(layer: number): void;
  /** Layers kept from earlier visits. */
  tellKept(): Promise<void>;
}

export function createLayerOffers(
  manifest: Manifest,
  reader: ShardReader,
  tell: (message: DeviceMessage) => void,
): LayerOffers {
  /** A layer whose hashes nobody knows cannot be checked by whoever gets it, so it is not offered. */
  function keeps(layer: number): void {
    const isHashed = manifest.layers[layer].tensors.every(
      ({ file }) => manifest.files[file].pieceSha256 !== undefined,
    );
    const hashes = isHashed ? [] : reader.foundHashes(layer);
    if (isHashed || hashes.length > 0) tell({ kind: 'keeps-layer', layer, sha256: hashes });
  }

  return {
    keeps,
    async tellKept() {
      for (const layer of manifest.layers.keys()) if (await reader.keepsLayer(layer)) keeps(layer);
    },
  };
}

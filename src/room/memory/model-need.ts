/** What a model of a hub asks of a room before anything of it is known but its figures. */
import type { WeightType } from '../../engine/engine.ts';
import { heldTwiceBelowBytes } from '../../engine/held-twice.ts';
import { layerTensors } from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import { contextLengthOf } from './context-length.ts';
import { sequenceBytesPerBlock } from './sequence-bytes.ts';
import { weightBytes } from './weight-bytes.ts';

export interface ModelNeed {
  parameters: number;
  /** Of its weights in 16 bits, as hubs hold them: every layer once. */
  downloadBytes: number;
  /** Of all devices together on WebAssembly, one conversation of usual length included. */
  memoryBytes: (weights: WeightType) => number;
}

const storedBytes = 2;

export function needOf(config: ModelConfig): ModelNeed {
  const sizes = layerTensors(config).map(({ kind, tensors }) => ({
    kind,
    tensors: tensors.map(({ name, shape }) => ({
      name,
      count: shape.reduce((product, size) => product * size, 1),
    })),
  }));
  // A head that is the embedding again is one tensor in two layers.
  const each = new Map(
    sizes.flatMap(({ tensors }) => tensors.map(({ name, count }) => [name, count])),
  );
  const parameters = sum([...each.values()]);
  return {
    parameters,
    downloadBytes: storedBytes * parameters,
    memoryBytes(weights) {
      const computed = weightBytes.wasm[weights];
      const layers = sizes.map(({ kind, tensors }) => {
        // An embedding is kept as it is stored where that takes less.
        const perWeight = kind === 'embed' ? Math.min(computed, storedBytes) : computed;
        const bytes = perWeight * sum(tensors.map(({ count }) => count));
        return kind === 'block' && bytes < heldTwiceBelowBytes ? 2 * bytes : bytes;
      });
      const sequence = sequenceBytesPerBlock(config, contextLengthOf(config, null));
      return sum(layers) + config.num_hidden_layers * sequence;
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

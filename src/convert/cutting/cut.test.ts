import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dequantise } from '../../model/numbers/dequantise.ts';
import { pieceBytes, type Manifest } from '../../model/manifest.ts';
import { parseManifestText } from '../../model/parse-manifest.ts';
import { memorySource } from '../sources/byte-source.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { cutShards } from './cut.ts';
import {
  tinyLlama2c,
  tinyLlama2cTokenizer,
  tinyPieces,
  tinyShape,
} from '../fixtures/tiny-llama2c.ts';
import { openLlama2c } from '../llama2c/llama2c.ts';

const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cut-'));
});
afterEach(() => rm(folder, { recursive: true }));

function checkpointOf(file: Uint8Array): Promise<Checkpoint> {
  const tokenizer = memorySource(tinyLlama2cTokenizer(tinyPieces));
  return openLlama2c(memorySource(file), tokenizer, label);
}

async function readManifest(): Promise<Manifest> {
  return parseManifestText(await readFile(join(folder, 'tiny', 'manifest.json'), 'utf8'));
}

/** A tensor's numbers in the shards in `folder`. */
async function numbersOf(manifest: Manifest, name: string): Promise<Float32Array> {
  const tensor = manifest.layers
    .flatMap(({ tensors }) => tensors)
    .find((candidate) => candidate.name === name);
  if (!tensor) throw new Error(`there is no ${name}`);
  const file = await readFile(join(folder, 'tiny', manifest.files[tensor.file].path));
  return dequantise(tensor.dtype, file.subarray(tensor.offset, tensor.offset + tensor.bytes));
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

describe('cutShards', () => {
  it('writes one file a layer, embedding and head in one where they are tied', async () => {
    await cutShards(await checkpointOf(tinyLlama2c()), join(folder, 'tiny'), { weights: null });
    const manifest = await readManifest();
    const paths = ['embed-head.bin', 'layer-0.bin', 'layer-1.bin', 'tokenizer.json'];
    expect(manifest.files.map(({ path }) => path)).toEqual(paths);
    expect((await readdir(join(folder, 'tiny'))).sort()).toEqual(
      [...paths, 'manifest.json'].sort(),
    );
    const [embed, head] = [manifest.layers[0], manifest.layers[3]];
    expect(head.tensors.map(({ name }) => name)).toEqual([
      'model.norm.weight',
      'model.embed_tokens.weight',
    ]);
    expect(head.tensors[1]).toEqual(embed.tensors[0]);
  });

  it('gives a head with weights of its own a file of its own', async () => {
    const file = tinyLlama2c({ ...tinyShape, tied: false });
    await cutShards(await checkpointOf(file), join(folder, 'tiny'), { weights: null });
    const manifest = await readManifest();
    expect(manifest.files.map(({ path }) => path)).toContain('head.bin');
    expect(manifest.layers[3].tensors[1].name).toBe('lm_head.weight');
  });

  it('hashes every file whole and by pieces', async () => {
    // Wide enough that the shared file of embedding and head has several pieces.
    const file = tinyLlama2c({
      ...tinyShape,
      dim: 4608,
      hidden: 4,
      heads: 576,
      kvHeads: 1,
      blocks: 1,
    });
    await cutShards(await checkpointOf(file), join(folder, 'tiny'), { weights: 'F16' });
    const manifest = await readManifest();
    for (const { path, bytes, sha256: whole, pieceSha256 } of manifest.files) {
      const data = await readFile(join(folder, 'tiny', path));
      expect(data.byteLength).toBe(bytes);
      expect(sha256(data)).toBe(whole);
      const pieces = [];
      for (let at = 0; at < bytes; at += pieceBytes)
        pieces.push(sha256(data.subarray(at, at + pieceBytes)));
      expect(pieceSha256).toEqual(pieces);
    }
    expect(Math.max(...manifest.files.map(({ bytes }) => bytes))).toBeGreaterThan(2 * pieceBytes);
  });

  it('keeps numbers, and puts rotary rows in halves', async () => {
    const checkpoint = await checkpointOf(tinyLlama2c());
    await cutShards(checkpoint, join(folder, 'tiny'), { weights: null });
    const manifest = await readManifest();
    const original = new Float32Array(tinyLlama2c().buffer, 28);
    expect(await numbersOf(manifest, 'model.embed_tokens.weight')).toEqual(original.slice(0, 8448));
    const queries = await numbersOf(manifest, 'model.layers.0.self_attn.q_proj.weight');
    const row = (index: number) => original.slice(8512 + 32 * index, 8512 + 32 * (index + 1));
    // Heads of 8 rows: even rows first, then odd ones.
    for (const [at, from] of [0, 2, 4, 6, 1, 3, 5, 7, 8, 10].entries())
      expect(queries.slice(32 * at, 32 * (at + 1))).toEqual(row(from));
    expect(manifest.layers[1].tensors.some((tensor) => tensor.interleavedRotary)).toBe(false);
  });

  it('stores matrices as asked and norms in full', async () => {
    for (const weights of ['F16', 'Q8_0', 'Q4_0'] as const) {
      const checkpoint = await checkpointOf(tinyLlama2c());
      await cutShards(checkpoint, join(folder, 'tiny'), { weights });
      const manifest = await readManifest();
      const types = new Map(
        manifest.layers.flatMap(({ tensors }) => tensors.map(({ name, dtype }) => [name, dtype])),
      );
      expect(types.get('model.norm.weight')).toBe('F32');
      expect(types.get('model.layers.1.mlp.down_proj.weight')).toBe(weights);
      const numbers = await numbersOf(manifest, 'model.embed_tokens.weight');
      const original = new Float32Array(tinyLlama2c().buffer, 28);
      // Weights are in (0, 0.32]. The largest error is half a step of 1/8 of a quantisation block's largest
      // weight, and the rounding of the half.
      for (const [i, value] of numbers.entries())
        expect(Math.abs(value - original[i])).toBeLessThan(weights === 'Q4_0' ? 0.045 : 0.0015);
    }
  });

  it('leaves nothing behind when a number is broken, and keeps what was there before', async () => {
    const target = join(folder, 'tiny');
    await cutShards(await checkpointOf(tinyLlama2c()), target, { weights: null });
    const before = await readFile(join(target, 'manifest.json'), 'utf8');
    const corrupt = tinyLlama2c();
    new Float32Array(corrupt.buffer, 28)[14720 + 5] = NaN;
    const failing = cutShards(await checkpointOf(corrupt), target, { weights: 'F16' });
    await expect(failing).rejects.toThrow(
      /layers\.0\.mlp\.gate_proj\.weight holds a number that is not finite, at or after position 5:/,
    );
    expect(await readdir(folder)).toEqual(['tiny']);
    expect(await readFile(join(target, 'manifest.json'), 'utf8')).toBe(before);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const abort = new AbortController();
    const checkpoint = await checkpointOf(tinyLlama2c());
    const cutting = cutShards(checkpoint, join(folder, 'tiny'), {
      weights: null,
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('enough')),
    });
    await expect(cutting).rejects.toThrow('enough');
    expect(await readdir(folder)).toEqual([]);
  });

  it('reports progress up to the whole', async () => {
    const seen: [number, number][] = [];
    await cutShards(await checkpointOf(tinyLlama2c()), join(folder, 'tiny'), {
      weights: 'Q4_0',
      onProgress: (bytes, total) => seen.push([bytes, total]),
    });
    const total = 4 * 27040;
    expect(seen.at(-1)).toEqual([total, total]);
    expect(seen.every(([bytes], i) => i === 0 || bytes >= seen[i - 1][0])).toBe(true);
  });
});

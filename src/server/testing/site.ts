/** A small site for the server's own tests: a built app, a model, and something outside that must stay there. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';
import { layerTensors } from '../../model/architecture.ts';
import { ModelConfigSchema } from '../../model/config.ts';
import { tensorBytes } from '../../model/numbers/dtype.ts';
import type { Manifest } from '../../model/manifest.ts';
import { startServer, type RunningServer, type ServerOptions } from '../server.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const page = '<!doctype html><title>EdgeShard</title>';
export const script = `// ${'layers, stages and laps; '.repeat(100)}\nexport {};`;
/** Bytes 0, 1, 2, … so that a range is recognised by its content. */
export const weights = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
export const secret = 'stays outside';

export interface TestSite {
  server: RunningServer;
  projectDir: string;
}

/** Starts a server on free ports over a folder that holds the site; both are gone when the test ends. */
export async function serveTestSite(options: ServerOptions = {}): Promise<TestSite> {
  const projectDir = await temporaryFolder();
  const manifest = tinyManifest();
  const files: [string, string | Buffer][] = [
    ['package.json', JSON.stringify({ version: '1.2.3' })],
    ['secret.txt', secret],
    ['dist/index.html', page],
    ['dist/.built-from', secret],
    ['dist/assets/app-abc123.js', script],
    ['shards/README.md', 'about this folder'],
    ['shards/tiny/manifest.json', JSON.stringify(manifest)],
    ['shards/tiny/layer-0.bin', weights],
    ['shards/tiny/.part', secret],
  ];
  for (const [path, content] of files) {
    await mkdir(dirname(join(projectDir, path)), { recursive: true });
    await writeFile(join(projectDir, path), content);
  }
  const server = await startServer({ projectDir, build: false, ...options });
  onTestFinished(() => server.close());
  return { server, projectDir };
}

/** A valid manifest of a model with two small blocks, all its tensors in one file. */
export function tinyManifest(): Manifest {
  const config = v.parse(ModelConfigSchema, {
    model_type: 'llama',
    hidden_size: 8,
    intermediate_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 2,
    head_dim: 4,
    vocab_size: 32,
    max_position_embeddings: 16,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: false,
  });
  let end = 0;
  const layers = layerTensors(config).map((layer) => ({
    ...layer,
    tensors: layer.tensors.map(({ name, shape }) => {
      const bytes = tensorBytes('F32', shape);
      const offset = end;
      end += bytes;
      return { name, shape, dtype: 'F32' as const, file: 0, offset, bytes };
    }),
  }));
  return {
    format: 'edgeshard',
    version: 2,
    name: 'tiny',
    title: 'Tiny',
    licence: 'MIT',
    config,
    files: [{ path: 'layer-0.bin', bytes: end }],
    layers,
    tokenizer: null,
    chatTemplate: null,
  };
}

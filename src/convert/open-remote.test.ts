import { afterEach, describe, expect, it } from 'vitest';
import { dequantise } from '../model/numbers/dequantise.ts';
import type { Checkpoint } from './checkpoint.ts';
import {
  startRangeServer,
  type RangeServer,
  type RangeServerOptions,
} from './fixtures/range-server.ts';
import {
  tinySafetensors,
  writeSafetensors,
  type SafetensorsEntry,
} from './fixtures/safetensors-writer.ts';
import { tinyGguf, tinyGgufConfig, tinyWeights } from './fixtures/tiny-gguf.ts';
import { openPicked, openRemote } from './open-remote.ts';

const base = '/owner/tiny/resolve/main';
const tensors = tinySafetensors(tinyGgufConfig);
const names = [...tensors.keys()];
const hubConfig = { ...tinyGgufConfig, rope_scaling: null, eos_token_id: 2 };

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function pick(from: number, to: number): Map<string, SafetensorsEntry> {
  return new Map([...tensors].slice(from, to));
}

const single = new Map<string, Uint8Array<ArrayBuffer>>([
  ['config.json', json(hubConfig)],
  ['generation_config.json', json({ eos_token_id: [2, 5], temperature: 0.6 })],
  ['tokenizer_config.json', json({ chat_template: 'from the config' })],
  ['model.safetensors', writeSafetensors(tensors)],
]);

const sharded = new Map<string, Uint8Array<ArrayBuffer>>([
  ['config.json', json(hubConfig)],
  ['chat_template.jinja', new TextEncoder().encode('from a file of its own')],
  ['model-00001-of-00002.safetensors', writeSafetensors(pick(0, 9))],
  ['model-00002-of-00002.safetensors', writeSafetensors(pick(9, 99))],
  [
    'model.safetensors.index.json',
    json({
      weight_map: Object.fromEntries(
        names.map((name, i) => [name, `model-0000${i < 9 ? 1 : 2}-of-00002.safetensors`]),
      ),
    }),
  ],
]);

let server: RangeServer | undefined;
afterEach(() => server?.close());

/** A hub with one model; `owner/tiny` is its id. */
async function serve(
  files: ReadonlyMap<string, Uint8Array>,
  options: RangeServerOptions = {},
): Promise<string> {
  const paths = new Map([...files].map(([path, data]) => [`${base}/${path}`, data]));
  server = await startRangeServer(paths, options);
  return server.origin;
}

async function expectWeights({ manifest, sources }: Checkpoint): Promise<void> {
  for (const tensor of manifest.layers.flatMap((layer) => layer.tensors)) {
    const bytes = await sources[tensor.file].read(tensor.offset, tensor.bytes);
    const numbers = dequantise(tensor.dtype, bytes);
    const expected = tinyWeights(tensor.name, numbers.length);
    // Matrices were stored as halves of numbers below 1/2: half a step of 2^-12 at most.
    for (const [i, value] of numbers.entries())
      expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(2 ** -13);
  }
}

describe('openRemote', () => {
  it('opens a model by its hub id', async () => {
    const hubUrl = await serve(single);
    const checkpoint = await openRemote('owner/tiny', { hubUrl });
    expect(checkpoint.baseUrl).toBe(`${hubUrl}${base}/`);
    expect(checkpoint.manifest).toMatchObject({
      name: 'tiny',
      config: { model_type: 'llama', eos_token_id: [2, 5] },
      chatTemplate: 'from the config',
      sampling: { temperature: 0.6 },
      tokenizer: null,
    });
    await expectWeights(checkpoint);
  });

  for (const [where, path] of [
    ['on another server', 'https://elsewhere.example/model.safetensors'],
    ['above its folder', '../other/model.safetensors'],
    ['of an absolute path', '/secret.safetensors'],
  ] as const)
    it(`asks for no file ${where} that an index names: a token would go there`, async () => {
      const index = json({ weight_map: { [names[0]]: path } });
      const hubUrl = await serve(new Map([...sharded, ['model.safetensors.index.json', index]]));
      await expect(openRemote('owner/tiny', { hubUrl, token: 'secret' })).rejects.toThrow(
        'model.safetensors.index.json has no weight_map of tensors and files of this folder',
      );
    });

  it('asks for none of a million files', async () => {
    const many = Array.from({ length: 20_000 }, (_, i): [string, string] => [
      `tensor ${i}`,
      `${i}.safetensors`,
    ]);
    const index = json({ weight_map: Object.fromEntries(many) });
    const hubUrl = await serve(new Map([...sharded, ['model.safetensors.index.json', index]]));
    await expect(openRemote('owner/tiny', { hubUrl })).rejects.toThrow(
      'model.safetensors.index.json names 20000 files, where at most 1000 are expected',
    );
  });

  it('opens weights in several files by their index', async () => {
    const hubUrl = await serve(sharded);
    const checkpoint = await openRemote(`${hubUrl}/owner/tiny/tree/main`, { hubUrl });
    expect(checkpoint.manifest.files.map(({ path }) => path)).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ]);
    expect(checkpoint.manifest.chatTemplate).toBe('from a file of its own');
    await expectWeights(checkpoint);
  });

  it('opens a GGUF file by its address', async () => {
    const hubUrl = await serve(new Map([['tiny.gguf', tinyGguf()]]));
    const checkpoint = await openRemote(`${hubUrl}${base}/tiny.gguf`);
    expect(checkpoint.manifest.name).toBe('tiny');
    await expectWeights(checkpoint);
  });

  it('fetches no weights to describe a model', async () => {
    const hubUrl = await serve(new Map([['tiny.gguf', tinyGguf()]]));
    await openRemote(`${hubUrl}${base}/tiny.gguf`);
    expect(server?.requests).toEqual([`${base}/tiny.gguf bytes=0-65535`]);
  });

  it('makes do with a server without ranges for small files', async () => {
    const hubUrl = await serve(single, { ignoreRanges: true });
    await expectWeights(await openRemote('owner/tiny', { hubUrl }));
  });

  it('splits the fused projections of Phi-3', async () => {
    const fused = new Map(tensors);
    const fuse = (into: string, names: string[]): void => {
      const parts = names.map((name) => {
        const part = fused.get(name);
        if (!part) throw new Error(`there is no ${name}`);
        fused.delete(name);
        return part;
      });
      const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
      const data = Buffer.concat(parts.map((part) => part.data));
      fused.set(into, { dtype: 'F16', shape: [rows, parts[0].shape[1]], data });
    };
    for (const block of [0, 1].map((i) => `model.layers.${i}`)) {
      const [q, k, v] = ['q', 'k', 'v'].map((name) => `${block}.self_attn.${name}_proj.weight`);
      fuse(`${block}.self_attn.qkv_proj.weight`, [q, k, v]);
      const [gate, up] = ['gate', 'up'].map((name) => `${block}.mlp.${name}_proj.weight`);
      fuse(`${block}.mlp.gate_up_proj.weight`, [gate, up]);
    }
    const files = new Map(single)
      .set('config.json', json({ ...hubConfig, model_type: 'phi3', sliding_window: 32 }))
      .set('model.safetensors', writeSafetensors(fused));
    const checkpoint = await openRemote('owner/tiny', { hubUrl: await serve(files) });
    expect(checkpoint.manifest.config).toMatchObject({ model_type: 'mistral', sliding_window: 32 });
    await expectWeights(checkpoint);
  });

  it('says what is missing', async () => {
    const without = (path: string) => new Map([...sharded].filter(([name]) => name !== path));
    let hubUrl = await serve(without('model-00002-of-00002.safetensors'));
    await expect(openRemote('owner/tiny', { hubUrl })).rejects.toThrow(
      /model-00002-of-00002\.safetensors is missing/,
    );
    await server?.close();
    hubUrl = await serve(without('config.json'));
    await expect(openRemote('owner/tiny', { hubUrl })).rejects.toThrow(/no config\.json/);
    await server?.close();
    hubUrl = await serve(new Map([['config.json', json(hubConfig)]]));
    await expect(openRemote('owner/tiny', { hubUrl })).rejects.toThrow(
      /only safetensors can be read; if it holds GGUF files/,
    );
    await expect(openRemote(`${hubUrl}/other.gguf`)).rejects.toThrow(/there is no .*other\.gguf/);
  });

  it('refuses weights that its architecture would not use, and weights that it lacks', async () => {
    const extra = new Map(tensors).set('model.layers.0.self_attn.q_proj.bias', {
      dtype: 'F32',
      shape: [32],
      data: new Uint8Array(128),
    });
    let hubUrl = await serve(new Map(single).set('model.safetensors', writeSafetensors(extra)));
    await expect(openRemote('owner/tiny', { hubUrl })).rejects.toThrow(
      /q_proj\.bias.*does not use/,
    );
    await server?.close();
    hubUrl = await serve(new Map(single).set('model.safetensors', writeSafetensors(pick(1, 99))));
    await expect(openRemote('owner/tiny', { hubUrl })).rejects.toThrow(
      /lacks the tensor model\.embed_tokens\.weight/,
    );
  });

  it('explains itself when an address names no model', async () => {
    await expect(openRemote('my favourite model')).rejects.toThrow(/names no model: give a hub id/);
  });
});

describe('openPicked', () => {
  const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };
  const blobs = (files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>, folder = '') =>
    new Map([...files].map(([path, data]) => [`${folder}${path}`, new Blob([data])]));

  it('opens a folder that was dropped', async () => {
    await expectWeights(await openPicked(blobs(sharded, 'my folder/'), label));
  });

  it('opens a GGUF file that was dropped, whatever its name', async () => {
    const files = new Map([['my model (2).gguf', tinyGguf()]]);
    await expectWeights(await openPicked(blobs(files), label));
  });

  it('asks for the other parts of a split file', async () => {
    const files = new Map([['big-00002-of-00003.gguf', tinyGguf()]]);
    await expect(openPicked(blobs(files), label)).rejects.toThrow(
      /big-00001-of-00003\.gguf is missing/,
    );
  });
});

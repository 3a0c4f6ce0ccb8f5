import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  sendPart,
  startHandler,
  type HandlerServer,
} from '../base/http/fixtures/handler-server.ts';
import { dequantise } from '../model/numbers/dequantise.ts';
import type { Checkpoint } from './checkpoint.ts';
import pickedFolder from './fixtures/picked-folder/expected.json' with { type: 'json' };
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

const pickedFolderUrl = new URL('fixtures/picked-folder/', import.meta.url);

let server: RangeServer | undefined;
let handled: HandlerServer | undefined;
afterEach(async () => {
  await server?.close();
  await handled?.close();
  [server, handled] = [undefined, undefined];
});

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

describe('openRemote with an address of another form', () => {
  const tree = '/api/models/owner/tiny/tree/main';
  const listOf = (paths: readonly string[]): Uint8Array<ArrayBuffer> =>
    json(paths.map((path) => ({ type: 'file', path })));

  /** Answers what the handler does not. */
  async function startHub(files: ReadonlyMap<string, Uint8Array>, query = ''): Promise<string> {
    handled = await startHandler((response, range, { url = '' }) => {
      const file = url.endsWith(query) ? files.get(url.slice(0, url.length - query.length)) : null;
      if (file) sendPart(response, file, range);
      else response.writeHead(file === null ? 403 : 404).end();
    });
    return handled.url;
  }

  it('finds the file of a type in the list of the hub', async () => {
    const paths = ['README.md', 'mmproj-Q4_0.gguf', 'q8/tiny.Q8_0.gguf', 'tiny.Q4_0.gguf'];
    const hubUrl = await startHub(
      new Map([
        [`${tree}?recursive=true`, listOf(paths)],
        [`${base}/q8/tiny.Q8_0.gguf`, tinyGguf(tinyGgufConfig, 'Q8_0')],
      ]),
    );
    const checkpoint = await openRemote('owner/tiny:q8_0', { hubUrl });
    expect(checkpoint.baseUrl).toBe(`${hubUrl}owner/tiny/resolve/main/q8/`);
    expect(checkpoint.manifest.files[0].path).toBe('tiny.Q8_0.gguf');
    await expect(openRemote('owner/tiny:Q5_K', { hubUrl })).rejects.toThrow(
      'owner/tiny has no GGUF file of the type Q5_K; it has Q8_0, Q4_0',
    );
  });

  it('reads every page of a list, and the list of older hubs', async () => {
    let hubUrl = '';
    handled = await startHandler((response, range, { url = '' }) => {
      if (url === `${tree}?recursive=true`) {
        const link = `<${hubUrl}api/models/owner/tiny/tree/main?cursor=2>; rel="next"`;
        response.writeHead(200, { Link: link }).end(listOf(['a.Q2_K.gguf']));
      } else if (url === `${tree}?cursor=2`) response.end(listOf(['tiny.Q8_0.gguf']));
      else if (url === '/api/models/owner/old/revision/main')
        response.end(json({ siblings: [{ rfilename: 'tiny.Q8_0.gguf' }] }));
      else if (url.endsWith('/tiny.Q8_0.gguf')) sendPart(response, tinyGguf(), range);
      else response.writeHead(404).end();
    });
    hubUrl = handled.url;
    for (const id of ['owner/tiny', 'owner/old'])
      expect((await openRemote(`${id}:Q8_0`, { hubUrl })).baseUrl).toBe(
        `${hubUrl}${id}/resolve/main/`,
      );
  });

  it('opens the only GGUF model of a repository, and names several', async () => {
    const alone = [
      [`${tree}?recursive=true`, listOf(['config.json', 'tiny.gguf'])],
      [`${base}/config.json`, json(hubConfig)],
      [`${base}/tiny.gguf`, tinyGguf()],
    ] as const;
    const opened = await openRemote('owner/tiny', { hubUrl: await startHub(new Map(alone)) });
    expect(opened.manifest.files[0].path).toBe('tiny.gguf');
    await handled?.close();
    const several = listOf(['tiny.Q4_0.gguf', 'tiny.Q8_0.gguf']);
    const hubUrl = await startHub(new Map([[`${tree}?recursive=true`, several]]));
    await expect(openRemote('owner/tiny', { hubUrl })).rejects.toThrow(
      'owner/tiny has no weights as safetensors, but 2 GGUF models (Q4_0, Q8_0): name one, such as owner/tiny:Q4_0',
    );
  });

  it('sends the query of a signed address with every request, for every part', async () => {
    const query = '?X-Amz-Signature=secret&X-Amz-Expires=60';
    const files = new Map<string, Uint8Array>([['/m/tiny.gguf', tinyGguf()]]);
    for (const [path, data] of single) files.set(`/folder/${path}`, data);
    const url = await startHub(files, query);
    const checkpoint = await openRemote(`${url}m/tiny.gguf${query}`);
    expect(checkpoint).toMatchObject({ query, baseUrl: `${url}m/` });
    await expectWeights(checkpoint);
    await expectWeights(await openRemote(`${url}folder/${query}`));
    expect(JSON.stringify(checkpoint.manifest)).not.toContain('secret');

    const split = openRemote(`${url}m/gone-00001-of-00002.gguf${query}`);
    await expect(split).rejects.toThrow(/^there is no .*gone-00001-of-00002\.gguf$/);
    await vi.waitFor(() => {
      for (const part of ['00001', '00002'])
        expect(handled?.requests).toContain(
          `GET /m/gone-${part}-of-00002.gguf${query} bytes=0-65535`,
        );
    });
    const refused = openRemote(`${url}m/tiny.gguf?X-Amz-Signature=secret-old`);
    await expect(refused).rejects.toThrow(/refuses the signed address \(403\)/);
    await expect(refused).rejects.not.toThrow(/secret/);
  });

  it('asks for a file whose name a manifest cannot carry, but tells nobody to fetch it', async () => {
    const url = await startHub(new Map([['/m/my%20model%20%231.gguf', tinyGguf()]]));
    for (const name of ['my model %231.gguf', 'my%20model%20%231.gguf']) {
      const checkpoint = await openRemote(`${url}m/${name}`);
      expect(checkpoint.baseUrl).toBeNull();
      expect(checkpoint.manifest).toMatchObject({ title: 'my model #1', name: 'my-model-1' });
      await expectWeights(checkpoint);
    }
  });

  it('finds the model of a page on a hub that is not known as one', async () => {
    const files = [...single].map(([path, data]): [string, Uint8Array] => [
      `${base}/${path}`,
      data,
    ]);
    const url = await startHub(new Map(files));
    expect((await openRemote(`${url}owner/tiny`)).baseUrl).toBe(`${url}owner/tiny/resolve/main/`);
    await expect(openRemote(`${url}owner/gone`)).rejects.toThrow(/there is no config\.json/);
  });

  it('takes over the tag of a file, by which other devices see that it was replaced', async () => {
    handled = await startHandler((response, range) =>
      sendPart(response, tinyGguf(), range, { ETag: '"v1"' }),
    );
    const { manifest } = await openRemote(`${handled.url}tiny.gguf`);
    expect(manifest.files[0].etag).toBe('"v1"');
  });

  it('says that there is no such model, or that it is private', async () => {
    handled = await startHandler((response) => {
      response.writeHead(401, { 'X-Error-Code': 'RepoNotFound' }).end();
    });
    const opening = openRemote('owner/no-such-model', { hubUrl: handled.url });
    await expect(opening).rejects.toThrow(
      /^http:.*\/owner\/no-such-model\/resolve\/main\/config\.json could not be fetched: .* has no such model, or it is private \(401\)\. Check the spelling first/,
    );
  });

  it('ends at once when it is told to', async () => {
    const stopping = new AbortController();
    handled = await startHandler(() => stopping.abort(new Error('stopped by hand')));
    const { signal } = stopping;
    await expect(openRemote('owner/tiny', { hubUrl: handled.url, signal })).rejects.toThrow(
      'stopped by hand',
    );
  });

  it('sends no token that is none', async () => {
    await expect(openRemote('owner/tiny', { token: 'hf_secret\nx' })).rejects.toThrow(
      /^the access token has a character that no token has/,
    );
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

  it.each(['as picked', 'the other way round'])(
    'reads the shallowest folder with a config.json, and nothing of other folders: %s',
    async (order) => {
      const picked = pickedFolder.files.map(async (path): Promise<[string, Blob]> => [
        path,
        new Blob([await readFile(new URL(path, pickedFolderUrl))]),
      ]);
      const files = await Promise.all(picked);
      if (order !== 'as picked') files.reverse();
      const { manifest, sources } = await openPicked(new Map(files));
      expect(manifest).toMatchObject({
        title: 'tiny',
        config: {
          hidden_size: pickedFolder.hidden_size,
          max_position_embeddings: pickedFolder.max_position_embeddings,
          eos_token_id: pickedFolder.eos_token_id,
        },
        chatTemplate: pickedFolder.chatTemplate,
        sampling: { temperature: pickedFolder.temperature },
      });
      expect(manifest.files.map(({ path }) => path)).toEqual([
        'model.safetensors',
        'tokenizer.json',
      ]);
      const tokenizer = await sources[1].read(0, sources[1].bytes);
      expect(new TextDecoder().decode(tokenizer)).toContain(pickedFolder.tokenizerKnows);
    },
  );

  it('takes nothing from an inner folder that the outer one lacks', async () => {
    const inner = blobs(single, 'my folder/onnx/');
    const files = new Map([...blobs(sharded, 'my folder/'), ...inner]);
    files.set('my folder/original/tokenizer.json', new Blob(['{}']));
    const { manifest } = await openPicked(files);
    expect(manifest).toMatchObject({ tokenizer: null, title: 'my folder' });
    expect(manifest.sampling).toEqual({});
  });

  it('names two models that lie equally deep', async () => {
    const files = new Map([...blobs(single, 'all/a/'), ...blobs(single, 'all/b/')]);
    await expect(openPicked(files)).rejects.toThrow(
      /"all\/a" and "all\/b" each have a config\.json/,
    );
  });

  it('opens the one GGUF model of a folder, with other files in it', async () => {
    const files = blobs(new Map([['tiny.GGUF', tinyGguf()]]), 'models\\tiny\\');
    files.set('models/tiny/mmproj-tiny.gguf', new Blob(['no model']));
    files.set('models/tiny/other/tiny.Q4_0.gguf', new Blob(['another']));
    const checkpoint = await openPicked(files);
    expect(checkpoint.manifest).toMatchObject({ title: 'tiny', name: 'tiny' });
    await expectWeights(checkpoint);
  });
});

import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { startRangeServer, type RangeServer } from '../fixtures/range-server.ts';
import { writeSafetensors, type SafetensorsEntry } from '../fixtures/safetensors-writer.ts';
import { openPicked, openRemote } from '../open-remote.ts';
import { blobTree } from '../sources/file-tree.ts';
import { readWeights } from './weight-files.ts';

type Files = Map<string, Uint8Array<ArrayBuffer>>;

const folder = new URL('../fixtures/stale-index/', import.meta.url);
const names = [
  'config.json',
  'model.safetensors',
  'model.safetensors.index.json',
  'tokenizer.json',
];
const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);

async function staleIndex(): Promise<Files> {
  const files = names.map(async (name): Promise<[string, Uint8Array<ArrayBuffer>]> => [
    name,
    new Uint8Array(await readFile(new URL(name, folder))),
  ]);
  return new Map(await Promise.all(files));
}

const blobs = (files: Files) =>
  new Map([...files].map(([path, bytes]) => [path, new Blob([bytes])]));

let server: RangeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function onHub(files: Files): Promise<string> {
  const paths = [...files].map(([path, bytes]): [string, Uint8Array] => [
    `/o/n/resolve/main/${path}`,
    bytes,
  ]);
  server = await startRangeServer(new Map(paths));
  return server.origin;
}

describe('model.safetensors', () => {
  const indexes: [string, Uint8Array<ArrayBuffer> | null][] = [
    ['that names files which are not there', null],
    ['that is broken', text('{"weight_map": ')],
    ['of another form', text('[]')],
    ['that names files elsewhere', text('{"weight_map": {"a": "../b.safetensors"}}')],
    [
      'that names too many files',
      text(
        JSON.stringify({
          weight_map: Object.fromEntries(
            Array.from({ length: 1001 }, (_, i) => [i, `${i}.safetensors`]),
          ),
        }),
      ),
    ],
    [
      'that names model.safetensors itself',
      text('{"weight_map": {"model.norm.weight": "model.safetensors"}}'),
    ],
  ];
  it.each(indexes)('is used beside an index %s, picked and remote', async (_, index) => {
    const files = await staleIndex();
    if (index) files.set('model.safetensors.index.json', index);
    const picked = await openPicked(blobs(files));
    const remote = await openRemote('o/n', { hubUrl: await onHub(files) });
    for (const { manifest } of [picked, remote])
      expect(manifest.files.map(({ path }) => path)).toEqual([
        'model.safetensors',
        'tokenizer.json',
      ]);
    expect(server?.requests.some((request) => request.includes('index'))).toBe(false);
  });
});

describe('readWeights', () => {
  const entry: SafetensorsEntry = { dtype: 'F32', shape: [1], data: new Uint8Array(4) };
  const weights = writeSafetensors(new Map([['a', entry]]));
  const treeOf = (files: Record<string, Uint8Array<ArrayBuffer>>) =>
    blobTree(blobs(new Map(Object.entries(files))));

  it('reads files of subfolders that the index names', async () => {
    const index = text('{"weight_map": {"a": "parts/one.safetensors"}}');
    const tree = treeOf({
      'model.safetensors.index.json': index,
      'parts/one.safetensors': weights,
    });
    const { files, tensors } = await readWeights(tree);
    expect(files.map(({ path }) => path)).toEqual(['parts/one.safetensors']);
    expect(tensors.get('a')?.file).toBe(0);
  });

  it.each([
    [
      'model.fp16.safetensors',
      /which is a variant of the weights: rename it to model\.safetensors/,
    ],
    ['model.safetensors.index.fp16.json', /which is a variant of the weights/],
    [
      'consolidated.safetensors',
      /in their maker's own layout: take the repository of the same model/,
    ],
    ['consolidated.00.pth', /in their maker's own layout/],
    ['pytorch_model.bin', /pickled PyTorch, which can run any program: take a repository/],
    ['pytorch_model-00001-of-00002.bin', /pickled PyTorch/],
    ['adapter_model.safetensors', /an adapter, which changes another model: merge it/],
    ['tiny.Q4_K_M.gguf', /which is GGUF: give that file itself/],
    ['tf_model.h5', /weights for another program/],
    ['weights.npz', /weights for another program/],
    ['my-model.safetensors', /weights under another name: rename it to model\.safetensors/],
    ['model.safetensors.incomplete', /a download that has not ended: download it again/],
  ])('says what to take where there is only %s', async (path, sentence) => {
    await expect(readWeights(treeOf({ [path]: weights }))).rejects.toThrow(
      `there is neither model.safetensors nor model.safetensors.index.json, but ${path}, which is`,
    );
    await expect(readWeights(treeOf({ [path]: weights }))).rejects.toThrow(sentence);
  });

  it('says so of a server that lists no files as well', async () => {
    const files: Files = new Map(
      [...(await staleIndex())].filter(([path]) => path === 'config.json'),
    );
    files.set('pytorch_model.bin', text('pickled'));
    await expect(openRemote('o/n', { hubUrl: await onHub(files) })).rejects.toThrow(
      /but pytorch_model\.bin, which is weights as pickled PyTorch/,
    );
  });

  it('knows the notes of Git LFS', async () => {
    const note = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n';
    await expect(readWeights(treeOf({ 'model.safetensors': text(note) }))).rejects.toThrow(
      /^model\.safetensors is only Git LFS's note of where the file is: run "git lfs pull"/,
    );
  });
});

import { httpOrigin } from './piece-origin.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { breakAfter, startFileServer, type FileServer } from './fixtures/file-server.ts';
import { memoryCache } from './fixtures/memory-cache.ts';
import { shardModel, tensorOf, type ShardModel } from './fixtures/shard-model.ts';
import { storedBytes } from './layer-pieces.ts';
import { createShardReader, type ShardReader, type ShardTensor } from './shard-reader.ts';

let server: FileServer;

beforeEach(async () => {
  server = await startFileServer();
});
afterEach(() => server.close());

/** Puts the model's files on the server. */
function serve(model: ShardModel): ShardModel {
  for (const [path, bytes] of model.files) server.files.set(path, bytes);
  return model;
}

async function readLayers(
  reader: ShardReader,
  layers: readonly number[],
): Promise<Map<number, ShardTensor[]>> {
  const read = new Map<number, ShardTensor[]>();
  await reader.readLayers(layers, (layer, tensors) => {
    read.set(layer, tensors);
    return Promise.resolve();
  });
  return read;
}

function expectWhole(model: ShardModel, read: Map<number, ShardTensor[]>): void {
  for (const [layer, tensors] of read) {
    const expected = model.manifest.layers[layer].tensors;
    expect(tensors.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
    tensors.forEach(({ data }, index) =>
      expect(Buffer.compare(data, tensorOf(model, expected[index]) ?? Buffer.alloc(0))).toBe(0),
    );
  }
}

describe.each([
  { hashed: true, kind: 'with hashes' },
  { hashed: false, kind: 'without hashes' },
])('a model $kind', ({ hashed }) => {
  it('is read whole, tied tensors fetched once', async () => {
    const model = serve(shardModel({ hashed }));
    const reader = createShardReader(
      model.manifest,
      httpOrigin(model.manifest, server.url),
      memoryCache(),
    );
    const read = await readLayers(reader, [0, 1, 2, 3]);
    expect([...read.keys()].sort()).toEqual([0, 1, 2, 3]);
    expectWhole(model, read);
    const bytes = ['embed-head.bin', 'layer-0.bin', 'layer-1.bin'].map(
      (path) => model.files.get(path)?.length ?? 0,
    );
    expect(reader.layerBytesFetched).toBe(bytes.reduce((sum, each) => sum + each));
    expect(reader.layerBytesFetched).toBe(storedBytes(model.manifest, [0, 1, 2, 3]));
  });

  it('is fetched no further than the layers asked for', async () => {
    const model = serve(shardModel({ hashed }));
    const reader = createShardReader(
      model.manifest,
      httpOrigin(model.manifest, server.url),
      memoryCache(),
    );
    expectWhole(model, await readLayers(reader, [2]));
    expect(reader.layerBytesFetched).toBe(model.files.get('layer-1.bin')?.length);
    expect(server.requests.every((request) => request.startsWith('layer-1.bin'))).toBe(true);
  });

  it('is not fetched a second time', async () => {
    const model = serve(shardModel({ hashed }));
    const cache = memoryCache();
    await readLayers(
      createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache),
      [0, 1, 2, 3],
    );
    const requests = server.requests.length;
    const again = createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache);
    expectWhole(model, await readLayers(again, [0, 1, 2, 3]));
    expect(server.requests).toHaveLength(requests);
    expect(again.layerBytesFetched).toBe(0);
  });

  it('counts its progress up to the whole, and never beyond', async () => {
    const model = serve(shardModel({ hashed }));
    server.instead.push(breakAfter(model.files.get('embed-head.bin') ?? new Uint8Array(), 1000));
    const reader = createShardReader(
      model.manifest,
      httpOrigin(model.manifest, server.url),
      memoryCache(),
    );
    const total = storedBytes(model.manifest, [0, 3]);
    const steps: [number, number][] = [];
    await reader.readLayers(
      [0, 3],
      () => Promise.resolve(),
      (read, of) => steps.push([read, of]),
    );
    expect(steps.at(-1)).toEqual([total, total]);
    expect(steps.every(([read, of], at) => of === total && read >= (steps[at - 1]?.[0] ?? 0))).toBe(
      true,
    );
  });
});

describe('ShardReader', () => {
  it('gives every tensor a buffer of its own, which may be handed away', async () => {
    const model = serve(shardModel({ hashed: true }));
    const cache = memoryCache();
    const read = await readLayers(
      createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache),
      [0, 1, 2, 3],
    );
    const tensors = [...read.values()].flat();
    for (const { data } of tensors) {
      expect(data.byteLength).toBe(data.buffer.byteLength);
      structuredClone(data, { transfer: [data.buffer] });
    }
    expectWhole(
      model,
      await readLayers(
        createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache),
        [0, 3],
      ),
    );
  });

  it('hands over one layer before it reads the next', async () => {
    const model = serve(shardModel({ hashed: true }));
    const reader = createShardReader(
      model.manifest,
      httpOrigin(model.manifest, server.url),
      memoryCache(),
    );
    const order: string[] = [];
    await reader.readLayers([1, 2], async (layer) => {
      const asked = server.requests.length;
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${layer}: ${server.requests.length - asked} meanwhile`);
    });
    expect(order).toEqual(['1: 0 meanwhile', '2: 0 meanwhile']);
  });

  it('refuses a piece that was changed at its source, and keeps nothing of it', async () => {
    const model = serve(shardModel({ hashed: true }));
    const tampered = model.files.get('layer-0.bin')?.slice() ?? new Uint8Array();
    tampered[100] ^= 1;
    server.files.set('layer-0.bin', tampered);
    const cache = memoryCache();
    const reader = createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache);
    await expect(readLayers(reader, [1])).rejects.toThrow(
      "layer-0.bin is damaged or was changed: its bytes do not match the hash in the model's manifest. Cut or fetch the model again.",
    );
    expect(cache.entries.size).toBe(0);
  });

  it('fetches a piece anew that was changed in the cache', async () => {
    const model = serve(shardModel({ hashed: true }));
    const cache = memoryCache();
    await readLayers(
      createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache),
      [1],
    );
    for (const bytes of cache.entries.values()) bytes[100] ^= 1;
    const reader = createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache);
    expectWhole(model, await readLayers(reader, [1]));
    expect(reader.layerBytesFetched).toBe(model.files.get('layer-0.bin')?.length);
    const third = createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache);
    expectWhole(model, await readLayers(third, [1]));
    expect(third.layerBytesFetched).toBe(0);
  });

  it('fetches a piece anew that was changed in the cache, also where no manifest knows its hash', async () => {
    const model = serve(shardModel({ hashed: false }));
    const cache = memoryCache();
    const origin = httpOrigin(model.manifest, server.url);
    await readLayers(createShardReader(model.manifest, origin, cache), [1]);
    for (const bytes of cache.entries.values()) bytes[100] ^= 1;
    const reader = createShardReader(model.manifest, origin, cache);
    expectWhole(model, await readLayers(reader, [1]));
    expect(reader.layerBytesFetched).toBe(storedBytes(model.manifest, [1]));
  });

  it('fetches a piece anew that was cut short in the cache', async () => {
    const model = serve(shardModel({ hashed: false }));
    const cache = memoryCache();
    await readLayers(
      createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache),
      [1],
    );
    for (const [key, bytes] of cache.entries) cache.entries.set(key, bytes.slice(0, -1));
    expectWhole(
      model,
      await readLayers(
        createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache),
        [1],
      ),
    );
  });

  it('keeps the pieces that came when a later one fails, so that only the rest is fetched', async () => {
    const model = serve(shardModel({ hashed: true }));
    server.files.delete('layer-1.bin');
    const cache = memoryCache();
    const reader = createShardReader(model.manifest, httpOrigin(model.manifest, server.url), cache);
    await expect(readLayers(reader, [1, 2])).rejects.toThrow(/layer-1\.bin could not be fetched/);
    serve(model);
    server.requests.length = 0;
    expectWhole(model, await readLayers(reader, [1, 2]));
    expect(server.requests.map((request) => request.split(' ')[0])).toEqual(['layer-1.bin']);
  });

  it('stops when it is told to', async () => {
    const model = serve(shardModel({ hashed: true }));
    const stopping = new AbortController();
    const reader = createShardReader(
      model.manifest,
      httpOrigin(model.manifest, server.url),
      memoryCache(),
    );
    const reading = reader.readLayers(
      [1, 2],
      () => {
        stopping.abort();
        return Promise.resolve();
      },
      undefined,
      stopping.signal,
    );
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(server.requests.every((request) => request.startsWith('layer-0.bin'))).toBe(true);
  });

  it('reads a whole file, which does not count as layers', async () => {
    const model = serve(shardModel({ hashed: true }));
    const reader = createShardReader(
      model.manifest,
      httpOrigin(model.manifest, server.url),
      memoryCache(),
    );
    expect(await reader.readFile('tokenizer.json')).toEqual(model.files.get('tokenizer.json'));
    expect(reader.layerBytesFetched).toBe(0);
    await expect(reader.readFile('other.json')).rejects.toThrow(
      "The model's manifest lists no file other.json.",
    );
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { sendPart, startHandler } from '../../../base/http/fixtures/handler-server.ts';
import { startRangeServer, type RangeServer } from '../../../convert/fixtures/range-server.ts';
import { tinySafetensors, writeSafetensors } from '../../../convert/fixtures/safetensors-writer.ts';
import { tinyGgufConfig } from '../../../convert/fixtures/tiny-gguf.ts';
import { piecesOfLayer } from '../../../store/layer-pieces.ts';
import { openModel, type OpenedModel } from './open-model.ts';

const weights = writeSafetensors(tinySafetensors(tinyGgufConfig));
const config = JSON.stringify({ ...tinyGgufConfig, rope_scaling: null, eos_token_id: 2 });
const folder = '/owner/tiny/resolve/main';

let server: RangeServer | undefined;
afterEach(async () => {
  vi.unstubAllGlobals();
  await server?.close();
});

async function startHub(): Promise<string> {
  server = await startRangeServer(
    new Map<string, Uint8Array>([
      [`${folder}/config.json`, new TextEncoder().encode(config)],
      [`${folder}/model.safetensors`, weights],
    ]),
  );
  return server.origin;
}

async function expectLayers({ manifest, origin }: OpenedModel): Promise<void> {
  for (const layer of manifest.layers.keys())
    for (const piece of piecesOfLayer(manifest, layer)) {
      const read = await origin.read(piece, () => undefined);
      expect(read).toEqual(weights.slice(piece.offset, piece.offset + piece.bytes));
    }
}

/** As a browser gives it when a folder was dropped. */
function droppedFile(path: string, content: BlobPart): File {
  const file = new File([content], path.replace(/^.*\//, ''));
  return Object.defineProperty(file, 'webkitRelativePath', { value: path });
}

describe('openModel', () => {
  it('opens a model of a hub, which other devices fetch from as well', async () => {
    const hubUrl = await startHub();
    const opened = await openModel({ kind: 'hub', id: 'owner/tiny', accessToken: null, hubUrl });
    expect(opened.address).toMatchObject({ kind: 'given', baseUrl: `${hubUrl}${folder}/` });
    expect(JSON.parse(new TextDecoder().decode(opened.manifestBytes ?? undefined))).toEqual(
      opened.manifest,
    );
    await expectLayers(opened);
  });

  it('keeps an access token, and with it the address, to the host', async () => {
    const hubUrl = await startHub();
    const opened = await openModel({ kind: 'hub', id: 'owner/tiny', accessToken: 'mine', hubUrl });
    expect(opened.address).toMatchObject({ kind: 'given', baseUrl: null });
    expect(JSON.stringify(opened.manifest)).not.toContain('mine');
    await expectLayers(opened);
  });

  it("opens a folder's address, and files of a person", async () => {
    const hubUrl = await startHub();
    vi.stubGlobal('document', { baseURI: 'http://localhost/' });
    const url = `${hubUrl}${folder}/`;
    const byAddress = await openModel({ kind: 'url', url });
    expect(byAddress.address).toMatchObject({ baseUrl: url });
    await expectLayers(byAddress);
    const files = [
      droppedFile('my model/config.json', config),
      droppedFile('my model/model.safetensors', weights),
    ];
    const own = await openModel({ kind: 'files', files });
    expect(own.address).toMatchObject({ kind: 'given', baseUrl: null });
    expect(own.manifest).toMatchObject({ name: 'my-model', title: 'my model' });
    await expectLayers(own);
  });

  it('keeps a signed address to the host, and sends its query for every piece', async () => {
    const query = '?X-Amz-Signature=secret';
    const files = new Map([
      [`/m/config.json${query}`, new TextEncoder().encode(config)],
      [`/m/model.safetensors${query}`, weights],
    ]);
    const signed = await startHandler((response, range, { url = '' }) => {
      const file = files.get(url);
      if (file) sendPart(response, file, range);
      else response.writeHead(url.endsWith(query) ? 404 : 403).end();
    });
    vi.stubGlobal('document', { baseURI: 'http://localhost/' });
    const opened = await openModel({ kind: 'url', url: `${signed.url}m/${query}` });
    expect(opened.address).toMatchObject({ kind: 'given', baseUrl: null });
    expect(new TextDecoder().decode(opened.manifestBytes ?? undefined)).not.toContain('secret');
    await expectLayers(opened);
    await signed.close();
  });

  it('gives no piece of a file that was replaced by one of the same size', async () => {
    let tag = '"old"';
    const hub = await startHandler((response, range, { url = '' }) => {
      if (url.endsWith('/model.safetensors')) sendPart(response, weights, range, { ETag: tag });
      else if (url.endsWith('/config.json')) response.end(config);
      else response.writeHead(404).end();
    });
    const choice = { kind: 'hub', id: 'owner/tiny', accessToken: null, hubUrl: hub.url } as const;
    const opened = await openModel(choice);
    const again = await openModel(choice);
    expect(again.address).toEqual(opened.address);
    tag = '"new"';
    await expect(expectLayers(opened)).rejects.toThrow(/the file was replaced on its server/);
    // The kept pieces of the old file go by the old name.
    expect((await openModel(choice)).address.sha256).not.toBe(opened.address.sha256);
    await hub.close();
  });

  it('reads a dropped folder by the paths beside its files', async () => {
    const files = [new File([config], 'config.json'), new File([weights], 'model.safetensors')];
    const inner = new File(['{}'], 'config.json');
    const paths = ['all/m/config.json', 'all/m/model.safetensors', 'all/m/onnx/config.json'];
    const opened = await openModel({ kind: 'files', files: [...files, inner], paths });
    expect(opened.manifest.title).toBe('m');
    await expectLayers(opened);
  });

  it('ends at once when the room is closed meanwhile', async () => {
    const stopping = new AbortController();
    const hub = await startHandler(() => stopping.abort(new Error('You closed the room.')));
    const choice = { kind: 'hub', id: 'owner/tiny', accessToken: null, hubUrl: hub.url } as const;
    await expect(openModel(choice, stopping.signal)).rejects.toThrow('You closed the room.');
    await hub.close();
  });

  it('says what a name looks like, and which server cannot be reached', async () => {
    for (const id of ['tiny', 'owner/tiny/notes.txt', '../up/there.gguf', 'https://x.example/a'])
      await expect(openModel({ kind: 'hub', id, accessToken: null })).rejects.toThrow(
        /is no model's name: give one like/,
      );
    const hubUrl = await startHub();
    await server?.close();
    await expect(
      openModel({ kind: 'hub', id: 'owner/tiny', accessToken: null, hubUrl }),
    ).rejects.toThrow(`${hubUrl} cannot be reached from this page`);
  });
});

import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinyManifest } from '../model/fixtures/tiny-manifest.ts';
import { parseManifest } from '../model/parse-manifest.ts';
import { startFileServer, type FileServer } from './fixtures/file-server.ts';
import { readManifest } from './read-manifest.ts';

const text = JSON.stringify(tinyManifest());
const sha256 = createHash('sha256').update(text).digest('hex');
let server: FileServer;
let url: string;

beforeEach(async () => {
  server = await startFileServer();
  url = `${server.url}shards/tiny/manifest.json`;
  put(text);
});
afterEach(() => server.close());

function put(content: string): void {
  server.files.set('shards/tiny/manifest.json', new TextEncoder().encode(content));
}

describe('readManifest', () => {
  it('gives the manifest, its hash, and where its files lie', async () => {
    expect(await readManifest(url, parseManifest, sha256)).toEqual({
      manifest: tinyManifest(),
      sha256,
      baseUrl: `${server.url}shards/tiny/`,
    });
  });

  it('refuses a model other than the one the room was opened with', async () => {
    put(text.replace('"Tiny"', '"Other"'));
    await expect(readManifest(url, parseManifest, sha256)).rejects.toThrow(
      /^The model on the server is not the one that this room was opened with\..*open the room again\.$/,
    );
  });

  it('says that a truncated manifest is not complete', async () => {
    put(text.slice(0, text.length / 2));
    await expect(readManifest(url, parseManifest)).rejects.toThrow(
      `The manifest at ${url} is not complete JSON; cut or fetch the model again.`,
    );
  });

  it('says what is wrong with a manifest that is complete and not valid', async () => {
    put(text.replace('"llama"', '"mamba"'));
    await expect(readManifest(url, parseManifest)).rejects.toThrow(
      /"mamba", an architecture that is not supported/,
    );
  });

  it('says so when there is none, or the file cannot be one', async () => {
    await expect(readManifest(`${server.url}nothing.json`, parseManifest)).rejects.toThrow(
      `There is no model at ${server.url}nothing.json (the server answered 404).`,
    );
    put(' '.repeat(16 * 1024 * 1024 + 1));
    await expect(readManifest(url, parseManifest)).rejects.toThrow(/too large for a manifest/);
  });

  it('says so when no server answers', async () => {
    await server.close();
    await expect(readManifest(url, parseManifest)).rejects.toThrow(
      `The model's manifest at ${url} cannot be reached; is its server running?`,
    );
    server = await startFileServer();
  });
});

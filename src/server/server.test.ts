import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { startServer } from './server.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';
import { ask } from './testing/request.ts';
import { page, script, secret, serveTestSite, tinyManifest, weights } from './testing/site.ts';

const bundle = '/assets/app-abc123.js';

describe('the app', () => {
  test('is served on both listeners, isolated, and HTTPS is good for every name', async () => {
    const { server } = await serveTestSite();
    const ca = server.certificate.authority?.toString() ?? '';
    for (const origin of [server.httpOrigin, server.httpsOrigin, ...server.lanOrigins]) {
      const { status, headers, body } = await ask(origin, '/', { ca });
      expect([status, body.toString()]).toEqual([200, page]);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['cache-control']).toBe('no-cache');
      expect(headers['cross-origin-opener-policy']).toBe('same-origin');
      expect(headers['cross-origin-embedder-policy']).toBe('require-corp');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['content-security-policy']).toContain(`//${new URL(origin).host}`);
    }
  });

  test('comes compressed to those who take it, and the name of a bundle lasts for good', async () => {
    const { server } = await serveTestSite();
    const brotli = await ask(server.httpOrigin, bundle, {
      headers: { 'Accept-Encoding': 'gzip, br' },
    });
    expect(brotli.headers['content-encoding']).toBe('br');
    expect(brotli.headers['vary']).toBe('Accept-Encoding');
    expect(brotli.headers['cache-control']).toContain('immutable');
    expect(brotliDecompressSync(brotli.body).toString()).toBe(script);
    const gzip = await ask(server.httpOrigin, bundle, { headers: { 'Accept-Encoding': 'gzip' } });
    expect(gunzipSync(gzip.body).toString()).toBe(script);
    const plain = await ask(server.httpOrigin, bundle);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toBe(script);
    const tags = [brotli, gzip, plain].map(({ headers }) => headers.etag);
    expect(new Set(tags).size).toBe(3);
  });

  test('is not sent again to those who have it', async () => {
    const { server } = await serveTestSite();
    const first = await ask(server.httpOrigin, '/');
    const again = await ask(server.httpOrigin, '/', {
      headers: { 'If-None-Match': `"other", W/${first.headers.etag ?? ''}` },
    });
    expect([again.status, again.body.byteLength]).toEqual([304, 0]);
  });

  test('not built and not to be built: a sentence that says what to do', async () => {
    const projectDir = await temporaryFolder();
    const distDir = join(projectDir, 'dist');
    const refusal = `${distDir} holds no built app (no index.html): run "npm run build" first.`;
    await expect(startServer({ projectDir, build: false })).rejects.toThrow(refusal);
    await mkdir(distDir);
    await expect(startServer({ projectDir, build: false })).rejects.toThrow(refusal);
  });
});

describe('shards', () => {
  const layer = '/shards/tiny/layer-0.bin';

  test('whole and by range', async () => {
    const { server } = await serveTestSite();
    const whole = await ask(server.httpOrigin, layer, { headers: { 'Accept-Encoding': 'br' } });
    expect(whole.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '256',
      'accept-ranges': 'bytes',
      'cache-control': 'no-cache',
    });
    expect(whole.body).toEqual(weights);
    const part = await ask(server.httpOrigin, layer, { headers: { Range: 'bytes=100-149' } });
    expect(part.status).toBe(206);
    expect(part.headers['content-range']).toBe('bytes 100-149/256');
    expect(part.body).toEqual(weights.subarray(100, 150));
    const last = await ask(server.httpOrigin, layer, { headers: { Range: 'bytes=-6' } });
    expect(last.body).toEqual(weights.subarray(250));
    const beyond = await ask(server.httpOrigin, layer, { headers: { Range: 'bytes=256-' } });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */256']);
  });

  test('a range of a file that changed since is answered with the new file', async () => {
    const { server, projectDir } = await serveTestSite();
    const { headers } = await ask(server.httpOrigin, layer);
    const resume = { Range: 'bytes=100-', 'If-Range': headers.etag ?? '' };
    expect((await ask(server.httpOrigin, layer, { headers: resume })).status).toBe(206);
    await writeFile(join(projectDir, 'shards/tiny/layer-0.bin'), 'cut anew');
    const changed = await ask(server.httpOrigin, layer, { headers: resume });
    expect([changed.status, changed.body.toString()]).toEqual([200, 'cut anew']);
  });

  test('HEAD tells the size and sends nothing', async () => {
    const { server } = await serveTestSite();
    const { status, headers, body } = await ask(server.httpOrigin, layer, { method: 'HEAD' });
    expect([status, headers['content-length'], body.byteLength]).toEqual([200, '256', 0]);
  });

  test('a manifest comes compressed, and anew when it changed', async () => {
    const { server, projectDir } = await serveTestSite();
    const path = '/shards/tiny/manifest.json';
    const options = { headers: { 'Accept-Encoding': 'br' } };
    const first = await ask(server.httpOrigin, path, options);
    expect(first.headers['content-encoding']).toBe('br');
    expect(JSON.parse(brotliDecompressSync(first.body).toString())).toEqual(tinyManifest());
    await writeFile(join(projectDir, path), '{"changed":true}');
    const second = await ask(server.httpOrigin, path, options);
    expect(second.headers.etag).not.toBe(first.headers.etag);
    expect(second.body.toString()).toBe('{"changed":true}');
  });
});

describe('nothing outside its folders', () => {
  const outside = [
    '/secret.txt',
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/shards/../secret.txt',
    '/shards/tiny/../../secret.txt',
    '/shards/tiny/%2e%2e/%2e%2e/secret.txt',
    '/shards/..%2fsecret.txt',
    '/shards/..\\secret.txt',
    '/shards//secret.txt',
    '/shards/tiny/.part',
    '/shards/tiny/layer-0.bin%00.txt',
    '/shards/tiny',
    '/shards/',
    '/.built-from',
    '/.edgeshard/certificate.pem',
    '/dist/index.html',
    '//secret.txt',
    '/certificate-key.pem',
    '/certificate/../secret.txt',
  ];

  test('whichever way a path tries to get there', async () => {
    const { server } = await serveTestSite();
    for (const path of outside) {
      const { status, body } = await ask(server.httpOrigin, path);
      expect([path, status]).toEqual([path, 404]);
      expect(body.toString()).not.toContain(secret);
    }
  });

  test('a link that leads out of the shards folder leads nowhere', async () => {
    const { server, projectDir } = await serveTestSite();
    await symlink(join(projectDir, 'secret.txt'), join(projectDir, 'shards/tiny/layer-1.bin'));
    await symlink(projectDir, join(projectDir, 'shards/all'));
    await symlink(
      join(projectDir, 'shards/tiny/layer-0.bin'),
      join(projectDir, 'shards/tiny/again.bin'),
    );
    const statusOf = async (path: string): Promise<number> =>
      (await ask(server.httpOrigin, path)).status;
    expect(await statusOf('/shards/tiny/layer-1.bin')).toBe(404);
    expect(await statusOf('/shards/all/secret.txt')).toBe(404);
    expect(await statusOf('/shards/tiny/again.bin')).toBe(200);
  });

  test('only reading', async () => {
    const { server } = await serveTestSite();
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status, headers } = await ask(server.httpOrigin, '/', { method });
      expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
    }
  });

  test('http answers to no foreign name pointed at this machine', async () => {
    const { server } = await serveTestSite({ allowedOrigins: ['https://proxy.example'] });
    const statusUnder = async (host: string): Promise<number> =>
      (await ask(server.httpOrigin, '/', { headers: { Host: host } })).status;
    const hosts = ['localhost:8080', '127.0.0.1', '[::1]:9', 'proxy.example'];
    expect(await Promise.all(hosts.map(statusUnder))).toEqual([200, 200, 200, 200]);
    const foreign = ['elsewhere.example:8080', 'localhost.elsewhere.example', '192.168.1.20:8080'];
    expect(await Promise.all(foreign.map(statusUnder))).toEqual([421, 421, 421]);
  });

  test('http answers on this machine alone', async () => {
    const { server } = await serveTestSite();
    const { port } = new URL(server.httpOrigin);
    const others = Object.values(networkInterfaces())
      .flatMap((infos) => infos ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    const tried = await Promise.allSettled(
      others.map(({ address }) => ask(`http://${address}:${port}`, '/')),
    );
    expect(tried.map(({ status }) => status)).toEqual(others.map(() => 'rejected'));
  });
});

test('what the server says about itself: its models, without those that are none', async () => {
  const { server, projectDir } = await serveTestSite();
  await writeFile(join(projectDir, 'shards/tiny/layer-0.bin'), 'whatever it holds');
  const read = async (): Promise<unknown> =>
    JSON.parse((await ask(server.httpOrigin, '/api/info')).body.toString());
  expect(await read()).toEqual({
    version: '1.2.3',
    lanOrigins: server.lanOrigins,
    models: [
      {
        name: 'tiny',
        title: 'Tiny',
        licence: 'MIT',
        manifestPath: 'shards/tiny/manifest.json',
        bytes: tinyManifest().files[0].bytes,
      },
    ],
  });
  await writeFile(join(projectDir, 'shards/tiny/manifest.json'), '{"format": "edge');
  expect(await read()).toMatchObject({ models: [] });
});

describe('the certificate page', () => {
  test('shows the fingerprint and hands out the certificate, never a key', async () => {
    const { server } = await serveTestSite();
    const { authority } = server.certificate;
    const { body } = await ask(server.httpOrigin, '/certificate');
    expect(body.toString()).toContain(authority?.fingerprint256);
    expect(body.toString()).not.toContain('{{');
    const download = await ask(server.httpOrigin, '/certificate/edgeshard.crt');
    expect(download.headers['content-type']).toBe('application/x-x509-ca-cert');
    expect(download.body).toEqual(authority?.raw);
    expect((await ask(server.httpOrigin, '/certificate.css')).status).toBe(200);
  });

  test("with one's own certificate there is nothing to trust, and its name is the address", async () => {
    const { server: first, projectDir } = await serveTestSite();
    const [certFile, keyFile] = [join(projectDir, 'c.pem'), join(projectDir, 'k.pem')];
    await writeFile(certFile, first.certificate.chain);
    await writeFile(keyFile, first.certificate.key);
    const { server } = await serveTestSite({ certificate: { certFile, keyFile } });
    const ca = first.certificate.authority?.toString() ?? '';
    const { status, body } = await ask(server.httpsOrigin, '/certificate', { ca });
    expect(status).toBe(200);
    expect(body.toString()).toContain('Nothing to trust by hand');
    expect((await ask(server.httpOrigin, '/certificate/edgeshard.crt')).status).toBe(404);
    const { port } = new URL(server.httpsOrigin);
    expect(server.lanOrigins[0]).toBe(`https://localhost:${port}`);
  });
});

test('closing frees the ports at once, open connections or not', async () => {
  const { server } = await serveTestSite();
  const port = Number(new URL(server.httpOrigin).port);
  await server.close();
  const { server: next } = await serveTestSite({ httpPort: { exactly: port } });
  expect(next.httpOrigin).toBe(server.httpOrigin);
});

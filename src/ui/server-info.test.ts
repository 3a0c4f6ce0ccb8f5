import { describe, expect, it } from 'vitest';
import { loadServerInfo, staticHost } from './server-info.ts';

const answering =
  (body: string, status = 200) =>
  () =>
    Promise.resolve(new Response(body, { status }));

describe('loadServerInfo', () => {
  it('takes what the server offers', async () => {
    const info = {
      version: '0.1.0',
      models: [
        { name: 'm', title: 'M', licence: 'MIT', manifestPath: 'shards/m/manifest.json', bytes: 5 },
      ],
      lanOrigins: ['https://192.168.1.5:8443'],
    };
    expect(await loadServerInfo(answering(JSON.stringify(info)))).toEqual(info);
  });

  it('falls back to the model beside the page on a static host', async () => {
    expect(await loadServerInfo(answering('not found', 404))).toBe(staticHost);
    expect(await loadServerInfo(answering('<!doctype html>'))).toBe(staticHost);
    expect(await loadServerInfo(() => Promise.reject(new TypeError('offline')))).toBe(staticHost);
  });

  it('says so when a server answers with something else', async () => {
    const torn = '{"version":"1","models":[{"name":1}],"lanOrigins":[]}';
    await expect(loadServerInfo(answering(torn))).rejects.toThrow(/models\.0\.name.*reload/);
    await expect(loadServerInfo(answering('[]'))).rejects.toThrow(/reload the page/);
  });
});

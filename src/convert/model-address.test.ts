import { describe, expect, it } from 'vitest';
import { locateModel } from './model-address.ts';

const hub = 'https://hub.example/';

describe('locateModel', () => {
  const folders: [string, string][] = [
    ['owner/name', 'https://hub.example/owner/name/resolve/main/'],
    [' owner/name@v1.0 ', 'https://hub.example/owner/name/resolve/v1.0/'],
    ['https://hub.example/owner/name', 'https://hub.example/owner/name/resolve/main/'],
    ['https://hub.example/owner/name/', 'https://hub.example/owner/name/resolve/main/'],
    ['https://hub.example/owner/name/tree/dev', 'https://hub.example/owner/name/resolve/dev/'],
    ['http://192.168.1.5:8000/models/tiny', 'http://192.168.1.5:8000/models/tiny/'],
  ];
  for (const [address, baseUrl] of folders)
    it(`reads ${address.trim()} as a folder`, () => {
      expect(locateModel(address, hub)).toMatchObject({ kind: 'folder', baseUrl });
    });

  const files: [string, string, string][] = [
    [
      'https://hub.example/o/n/blob/main/n.Q4_K_M.gguf',
      'https://hub.example/o/n/resolve/main/',
      'n.Q4_K_M',
    ],
    [
      'https://hub.example/o/n/resolve/main/q4/n-00001-of-00002.gguf?download=true',
      'https://hub.example/o/n/resolve/main/q4/',
      'n',
    ],
    ['http://localhost:9000/n.gguf', 'http://localhost:9000/', 'n'],
    ['http://localhost:9000/90%.gguf', 'http://localhost:9000/', '90%'],
  ];
  for (const [address, baseUrl, title] of files)
    it(`reads ${address} as a GGUF file`, () => {
      expect(locateModel(address, hub)).toMatchObject({ kind: 'gguf', baseUrl, title });
    });

  it('says what can be given instead of anything else', () => {
    for (const address of ['', 'gpt', 'a/b/c', 'ftp://host/a/b', '../../etc/passwd'])
      expect(() => locateModel(address, hub)).toThrow(/names no model/);
  });
});

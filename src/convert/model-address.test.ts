import { describe, expect, it } from 'vitest';
import { locateModel, reportAddress } from './model-address.ts';
import forms from './fixtures/address-forms.json' with { type: 'json' };

const hub = 'https://hub.example/';
const main = 'https://hub.example/owner/name/resolve/main/';

describe('locateModel', () => {
  const folders: [string, string][] = [
    ['owner/name', main],
    [' owner/name@v1.0 ', 'https://hub.example/owner/name/resolve/v1.0/'],
    ['https://hub.example/owner/name', main],
    ['https://hub.example/owner/name/', main],
    ['https://hub.example/owner/name/tree/dev', 'https://hub.example/owner/name/resolve/dev/'],
    ['http://192.168.1.5:8000/models/tiny', 'http://192.168.1.5:8000/models/tiny/'],
    // A branch with a slash, encoded or not.
    [
      'https://hub.example/owner/name/tree/feature%2Ffoo',
      `${hub}owner/name/resolve/feature%2Ffoo/`,
    ],
    ['https://hub.example/owner/name/tree/feature/foo', `${hub}owner/name/resolve/feature%2Ffoo/`],
    ['owner/name@feature/foo', `${hub}owner/name/resolve/feature%2Ffoo/`],
    ['owner/name@feature%2Ffoo', `${hub}owner/name/resolve/feature%2Ffoo/`],
    ['owner/name@refs/convert/parquet', `${hub}owner/name/resolve/refs%2Fconvert%2Fparquet/`],
    [
      'https://hub.example/owner/name/tree/refs%2Fpr%2F1/sub',
      `${hub}owner/name/resolve/refs%2Fpr%2F1/sub/`,
    ],
    // A folder of the model.
    ['https://hub.example/owner/name/tree/main/fp16', `${main}fp16/`],
    ['https://hub.example/owner/name/blob/main/fp16/config.json', `${main}fp16/`],
    ['https://hub.example/owner/name/blob/main/config.json', main],
    ['https://hub.example/owner/name/resolve/main/', main],
    // Other pages, and what is copied with an address.
    ['https://hub.example/owner/name?not-for-all=1', main],
    ['https://hub.example/owner/name/discussions/12', main],
    [
      'https://hub.example/owner/name/commit/0123456789abcdef',
      `${hub}owner/name/resolve/0123456789abcdef/`,
    ],
    ['https://hub.example/owner/name/commits/dev', `${hub}owner/name/resolve/dev/`],
    ['https://hub.example/owner/name.git', main],
    ['https://hub.example/api/models/owner/name', main],
    ['\u200Bowner/name\u00A0', main],
    // Hosts.
    ['HTTPS://HUB.Example/owner/name', main],
    ['Hub.Example/owner/name', main],
    ['www.hub.example/owner/name', main],
    ['https://www.hub.example/owner/name', main],
    ['http://hub.example/owner/name', main],
    ['hf.co/owner/name', main],
    ['https://hf.co/owner/name', main],
    ['huggingface.co/owner/name/tree/main', main],
    ['https://www.huggingface.co/owner/name', main],
    ['hf://owner/name', main],
    ['hf://models/owner/name@v2', `${hub}owner/name/resolve/v2/`],
    ['my.org/name@refs/pr/1', `${hub}my.org/name/resolve/refs%2Fpr%2F1/`],
    // Other servers.
    [
      'https://mirror.example/owner/name/tree/dev',
      'https://mirror.example/owner/name/resolve/dev/',
    ],
    ['localhost:9000/models/tiny', 'http://localhost:9000/models/tiny/'],
    ['192.168.1.5:8000/models/tiny/config.json', 'http://192.168.1.5:8000/models/tiny/'],
    ['files.example/models/tiny', 'https://files.example/models/tiny/'],
    ['https://files.example/models/tiny/model.safetensors', 'https://files.example/models/tiny/'],
  ];
  it.each(folders)('reads %s as a folder', (address, baseUrl) => {
    expect(locateModel(address, hub)).toMatchObject({ kind: 'folder', baseUrl, query: '' });
  });

  const files: [string, string, string, string][] = [
    [
      'https://hub.example/o/n/blob/main/n.Q4_K_M.gguf',
      `${hub}o/n/resolve/main/`,
      'n.Q4_K_M.gguf',
      'n.Q4_K_M',
    ],
    [
      'https://hub.example/o/n/resolve/main/q4/n-00001-of-00002.gguf?download=true',
      `${hub}o/n/resolve/main/q4/`,
      'n-00001-of-00002.gguf',
      'n',
    ],
    ['http://localhost:9000/n.gguf', 'http://localhost:9000/', 'n.gguf', 'n'],
    ['http://localhost:9000/90%.gguf', 'http://localhost:9000/', '90%.gguf', '90%'],
    ['https://hub.example/o/n/raw/main/n.gguf', `${hub}o/n/resolve/main/`, 'n.gguf', 'n'],
    [
      'https://hub.example/o/n/blob/refs/pr/1/n.gguf',
      `${hub}o/n/resolve/refs%2Fpr%2F1/`,
      'n.gguf',
      'n',
    ],
    [
      'https://hub.example/o/n/blob/feature%2Ffoo/n.gguf',
      `${hub}o/n/resolve/feature%2Ffoo/`,
      'n.gguf',
      'n',
    ],
    ['o/n/q4/n.Q4_0.gguf', `${hub}o/n/resolve/main/q4/`, 'n.Q4_0.gguf', 'n.Q4_0'],
    ['hf://o/n@v2/q4/n.gguf', `${hub}o/n/resolve/v2/q4/`, 'n.gguf', 'n'],
    [
      'https://files.example/a/my model.gguf',
      'https://files.example/a/',
      'my model.gguf',
      'my model',
    ],
    ['files.example/tiny.GGUF', 'https://files.example/', 'tiny.GGUF', 'tiny'],
    ['https://files.example/a%23b.gguf#readme', 'https://files.example/', 'a#b.gguf', 'a#b'],
  ];
  it.each(files)('reads %s as a GGUF file', (address, baseUrl, fileName, title) => {
    expect(locateModel(address, hub)).toMatchObject({ kind: 'gguf', baseUrl, fileName, title });
  });

  it.each(forms.cases)('reads $address', (form) => {
    const { address, kind, baseUrl, fileName, fileNameMatches, requested } = form;
    const located = reportAddress(address, forms.hubUrl);
    expect(located).toMatchObject({ kind, baseUrl });
    if (fileName !== undefined) expect(located.fileName).toBe(fileName);
    if (fileNameMatches !== undefined)
      expect(located.fileName).toMatch(new RegExp(fileNameMatches));
    if (requested !== undefined) expect(located.requested).toBe(requested);
  });

  it('says what is asked for first', () => {
    const requested = (address: string): string => reportAddress(address, hub).requested;
    expect(requested('owner/name')).toBe(`${main}config.json`);
    expect(requested('https://files.example/m/?sig=a%2Bb')).toBe(
      'https://files.example/m/config.json?sig=a%2Bb',
    );
    expect(requested('https://files.example/my%20model.gguf')).toBe(
      'https://files.example/my%20model.gguf',
    );
    expect(requested('owner/name:Q4_K_M')).toBe(
      'https://hub.example/api/models/owner/name/tree/main?recursive=true',
    );
    expect(requested('hf.co/owner/name@v2:latest')).toBe(
      'https://hub.example/api/models/owner/name/tree/v2?recursive=true',
    );
  });

  it('keeps the path of a mirror below its host', () => {
    const { baseUrl } = locateModel('https://mirror.example/hub/o/n', 'https://mirror.example/hub');
    expect(baseUrl).toBe('https://mirror.example/hub/o/n/resolve/main/');
    expect(locateModel('o/n', 'https://mirror.example/hub').baseUrl).toBe(baseUrl);
  });

  it.each([
    '',
    'gpt',
    'a/b/c',
    'ftp://host/a/b',
    '../../etc/passwd',
    '../b',
    '/owner/name',
    'owner/name:',
    'owner/..',
    'https://',
    'https://hub.example/',
    'https://hub.example/gpt2',
    'my favourite model',
  ])('says what can be given instead of %j', (address) => {
    expect(() => locateModel(address, hub)).toThrow(/names no model/);
  });

  it('says what a hub looks like', () => {
    expect(() => locateModel('owner/name', 'hub.example')).toThrow(
      '"hub.example" is no hub\'s address: give one such as https://huggingface.co/',
    );
  });

  it('names what is no model', () => {
    expect(() => locateModel('https://hf.co/datasets/owner/name', hub)).toThrow(
      /is a dataset and no model/,
    );
  });

  it('refuses a user name and a password, and shows neither', () => {
    for (const address of [
      'https://anna:secret@hub.example/owner/name',
      'https://anna:secret@files.example/tiny.gguf?sig=secret',
      'anna:secret@files.example/tiny',
      'ftp://anna:secret@files.example/tiny?sig=secret',
    ]) {
      expect(() => locateModel(address, hub)).toThrow();
      expect(() => locateModel(address, hub)).not.toThrow(/secret/);
    }
  });
});

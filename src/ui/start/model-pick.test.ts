import { describe, expect, it } from 'vitest';
import { pickedModel } from './model-pick.ts';

const offers = [
  { name: 'm', title: 'M', licence: 'MIT', manifestPath: 'shards/m/manifest.json', bytes: 5 },
];
const addressed = (text: string, accessToken = '') =>
  pickedModel({ kind: 'address', text, accessToken }, offers);

describe('pickedModel', () => {
  it('finds an offer’s manifest', () => {
    expect(pickedModel({ kind: 'offer', name: 'm' }, offers)).toEqual({
      kind: 'shards',
      manifestUrl: 'shards/m/manifest.json',
    });
    expect(() => pickedModel({ kind: 'offer', name: 'n' }, offers)).toThrow(/no model called n/);
  });

  it('reads a hub’s name, with a file behind it for GGUF', () => {
    expect(addressed(' HuggingFaceTB/SmolLM2-360M-Instruct ')).toEqual({
      kind: 'hub',
      id: 'HuggingFaceTB/SmolLM2-360M-Instruct',
      accessToken: null,
    });
    expect(addressed('a/b/q4/c.Q4_0.gguf', 'hf_x')).toEqual({
      kind: 'hub',
      id: 'a/b/q4/c.Q4_0.gguf',
      accessToken: 'hf_x',
    });
  });

  it('reads the address of a hub’s page as the model it shows', () => {
    const hub = { kind: 'hub', accessToken: null };
    expect(addressed('https://huggingface.co/a/b')).toEqual({ ...hub, id: 'a/b' });
    expect(addressed('https://huggingface.co/a/b/tree/v2')).toEqual({
      ...hub,
      id: 'a/b',
      revision: 'v2',
    });
    expect(addressed('https://huggingface.co/a/b/blob/main/c.gguf?download=true')).toEqual({
      ...hub,
      id: 'a/b/c.gguf',
      revision: 'main',
    });
  });

  it.each([
    ['hf.co/a/b', { id: 'a/b' }],
    ['www.huggingface.co/a/b?not-for-all=1#usage', { id: 'a/b' }],
    ['a/b:Q4_K_M', { id: 'a/b:Q4_K_M' }],
    ['a/b@v2', { id: 'a/b', revision: 'v2' }],
    ['https://huggingface.co/a/b/tree/refs%2Fpr%2F1', { id: 'a/b', revision: 'refs/pr/1' }],
    ['HuggingFace.co/a/b/blob/main/C.GGUF', { id: 'a/b/C.GGUF', revision: 'main' }],
  ])('reads %s as well', (text, found) => {
    expect(addressed(text)).toEqual({ kind: 'hub', accessToken: null, ...found });
  });

  it.each([
    ['files.example/m/tiny.gguf', 'https://files.example/m/tiny.gguf'],
    ['https://files.example/tiny.gguf?sig=abc', 'https://files.example/tiny.gguf?sig=abc'],
    ['192.168.1.5:8443/shards/m/manifest.json', 'http://192.168.1.5:8443/shards/m/manifest.json'],
    ['https://mirror.example/a/b/tree/main', 'https://mirror.example/a/b/tree/main'],
    ['https://huggingface.co/a/b/tree/main/fp16', 'https://huggingface.co/a/b/tree/main/fp16'],
  ])('takes %s as the address of a server, with the token for it', (text, url) => {
    expect(addressed(text)).toEqual({ kind: 'url', url });
    expect(addressed(text, 'hf_x')).toEqual({ kind: 'url', url, accessToken: 'hf_x' });
  });

  it('says what is wrong with an address that names a password or a data set', () => {
    expect(() => addressed('https://anna:secret@files.example/m')).toThrow(
      /user name or a password/,
    );
    expect(() => addressed('https://anna:secret@files.example/m')).not.toThrow(/secret/);
    expect(() => addressed('https://huggingface.co/datasets/a/b')).toThrow(/is a dataset/);
  });

  it('takes any other address as it is', () => {
    expect(addressed('http://10.0.0.2:9000/models/m.gguf')).toEqual({
      kind: 'url',
      url: 'http://10.0.0.2:9000/models/m.gguf',
    });
  });

  it.each(['', 'SmolLM2', 'a/b/c', 'ftp://a/b', 'https://'])('refuses %j', (text) => {
    expect(() => addressed(text)).toThrow(/Hugging Face|complete web address/);
  });

  it('wants files chosen', () => {
    expect(() => pickedModel({ kind: 'files', files: [] }, offers)).toThrow(/Choose a GGUF file/);
    const file = new File(['GGUF'], 'm.gguf');
    expect(pickedModel({ kind: 'files', files: [file] }, offers)).toEqual({
      kind: 'files',
      files: [file],
    });
    const inFolder = new File(['{}'], 'config.json');
    Object.defineProperty(inFolder, 'webkitRelativePath', { value: 'm/config.json' });
    expect(pickedModel({ kind: 'files', files: [inFolder, file] }, offers)).toEqual({
      kind: 'files',
      files: [inFolder, file],
      paths: ['m/config.json', 'm.gguf'],
    });
  });
});

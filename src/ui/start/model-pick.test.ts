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
  });
});

import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../model/text/tokenizer.ts';
import { blobTree } from '../sources/file-tree.ts';
import { openHubModel } from './hub-model.ts';

const names = ['config.json', 'model.safetensors', 'tokenizer.model', 'tokenizer_config.json'];
const read = (name: string) =>
  readFileSync(new URL(`fixtures/sentencepiece/${name}`, import.meta.url));
const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };

function folder(change: Record<string, string | Uint8Array<ArrayBuffer> | null> = {}) {
  const files = new Map(names.map((name) => [name, new Blob([Uint8Array.from(read(name))])]));
  for (const [name, content] of Object.entries(change))
    if (content === null) files.delete(name);
    else files.set(name, new Blob([content]));
  return blobTree(files);
}

async function tokenizerOf(tree: ReturnType<typeof folder>): Promise<Tokenizer | null> {
  const { manifest, sources } = await openHubModel(tree, label);
  const at = manifest.files.findIndex(({ path }) => path === manifest.tokenizer);
  if (at < 0) return null;
  const bytes = await sources[at].read(0, sources[at].bytes);
  return loadTokenizer(JSON.parse(new TextDecoder().decode(bytes)));
}

const encodings = v.array(v.object({ text: v.string(), ids: v.array(v.number()) }));
const expected = v.parse(
  v.object({ bos_id: v.number(), encode: encodings, decode: encodings }),
  JSON.parse(read('expected.json').toString('utf8')),
);

describe('a folder with tokenizer.model and no tokenizer.json', () => {
  it('has the tokenizer of that file', async () => {
    const tokenizer = await tokenizerOf(folder());
    for (const { text, ids } of expected.encode)
      expect([text, tokenizer?.encode(text, { bos: false })]).toEqual([text, ids]);
    for (const { text, ids } of expected.decode) expect(tokenizer?.decode(ids)).toBe(text);
    expect(tokenizer?.encode('', { bos: true })).toEqual([expected.bos_id]);
  });

  it('has its own tokenizer.json where there is one', async () => {
    const tree = folder({ 'tokenizer.json': '{"no": "tokenizer"}', 'tokenizer.model': 'broken' });
    await expect(tokenizerOf(tree)).rejects.toThrow(/tokenizer\.json is broken: at added_tokens/);
  });

  it('is refused where the file is broken', async () => {
    await expect(tokenizerOf(folder({ 'tokenizer.model': 'broken' }))).rejects.toThrow(
      /tokenizer\.model is no SentencePiece model/,
    );
  });

  it('has no tokenizer where there is neither', async () => {
    expect(await tokenizerOf(folder({ 'tokenizer.model': null }))).toBeNull();
  });
});

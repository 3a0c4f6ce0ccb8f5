import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../model/text/tokenizer.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { memorySource } from '../sources/byte-source.ts';
import { openGguf } from './gguf-model.ts';
import { metadataOf, type Metadata } from './gguf-metadata.ts';
import { ggufSpecialTokens, stopTokens, withControlTokens } from './gguf-stop-tokens.ts';

function open(name: string): Promise<Checkpoint> {
  const bytes = readFileSync(new URL(`./fixtures/stops/${name}`, import.meta.url));
  const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };
  return openGguf([{ path: name, source: memorySource(bytes) }], label);
}

async function tokenizerOf({ manifest, sources }: Checkpoint): Promise<Tokenizer> {
  const source = sources[manifest.files.findIndex(({ path }) => path === manifest.tokenizer)];
  return loadTokenizer(JSON.parse(new TextDecoder().decode(await source.read(0, source.bytes))));
}

function metadata(values: Record<string, unknown>): Metadata {
  const prefixed = Object.entries(values).map(
    ([key, value]) => [`tokenizer.ggml.${key}`, value] as const,
  );
  return metadataOf(new Map(prefixed) as Parameters<typeof metadataOf>[0], 'a.gguf');
}

describe('a GGUF file', () => {
  it.each([
    ['phi3.gguf', [274, 278], ['<|endoftext|>', '<|end|>']],
    ['llama3.gguf', [561, 563, 564], ['<|end_of_text|>', '<|eom_id|>', '<|eot_id|>']],
    ['llama-spm.gguf', [2, 275, 276], ['</s>', '<end_of_turn>', '<|im_end|>']],
  ])('%s stops at the tokens that are spelt as ends', async (name, stops, spelt) => {
    const checkpoint = await open(name);
    const { eos_token_id: ids } = checkpoint.manifest.config;
    expect(ids).toEqual(expect.arrayContaining(stops));
    const tokenizer = await tokenizerOf(checkpoint);
    expect(stops.map((id) => tokenizer.idToToken(id))).toEqual(spelt);
    // Whatever type the file gives them, they have no text in an answer.
    expect(tokenizer.decode(ids)).toBe('');
    for (const id of ids) expect(tokenizer.streamDecoder([97]).push(id)).toBe('');
  });

  it('names its stops first, and those beyond its vocabulary are none', () => {
    const tokens = ['a', 'b', '<|im_end|>', '<|fim_pad|>', 'c'];
    expect(
      stopTokens(metadata({ tokens, eos_token_id: 1, eot_token_id: 99, eom_token_id: 0 })),
    ).toEqual([1, 0, 2, 3]);
    expect(stopTokens(metadata({ tokens, fim_pad_token_id: 4 }))).toEqual([2, 4]);
    expect(stopTokens(metadata({ eos_token_id: 7 }))).toEqual([7]);
    expect(stopTokens(metadata({}))).toEqual([]);
  });

  it('tells its template what its tokens are', () => {
    const tokens = ['<s>', '</s>', '<pad>'];
    const said = ggufSpecialTokens(
      metadata({
        tokens,
        bos_token_id: 0,
        eos_token_id: 1,
        padding_token_id: 2,
        unknown_token_id: 9,
      }),
    );
    expect(said).toMatchObject({
      bos_token: '<s>',
      eos_token: '</s>',
      pad_token: '<pad>',
      unk_token: null,
    });
  });

  it('calls every end a special token in its tokenizer', () => {
    const tokens = ['a', '<|im_end|>', '<tool>', '<|end|>'];
    const added = [
      { id: 1, content: '<|im_end|>', special: false, rstrip: true },
      { id: 2, content: '<tool>', special: false },
    ];
    expect(
      withControlTokens({ added_tokens: added }, metadata({ tokens })).added_tokens,
    ).toMatchObject([
      { id: 1, content: '<|im_end|>', special: true, rstrip: true },
      { id: 2, content: '<tool>', special: false },
      { id: 3, content: '<|end|>', special: true },
    ]);
  });
});

import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { chatPrompt } from '../../model/text/chat-template.ts';
import { loadTokenizer, type Tokenizer } from '../../model/text/tokenizer.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { memorySource } from '../sources/byte-source.ts';
import { preTokenizerNames } from '../tokenizers/pre-tokenizer-names.ts';
import { metadataOf, type Metadata } from './gguf-metadata.ts';
import { openGguf } from './gguf-model.ts';
import { ggufTokenizer, ggufTokenizerFacts } from './gguf-tokenizer.ts';

const read = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

const EncodingSchema = v.array(v.object({ text: v.string(), ids: v.array(v.number()) }));
const scalar = v.union([v.string(), v.number(), v.boolean()]);
const { metadata, rules } = v.parse(
  v.object({
    metadata: v.record(v.string(), v.union([v.string(), v.number(), v.boolean(), v.array(scalar)])),
    rules: v.record(v.string(), v.object({ beginsWithBos: v.boolean(), encode: EncodingSchema })),
  }),
  JSON.parse(read('pre-tokenizers.json').toString('utf8')),
);

function changed(change: Record<string, string | number | boolean>): Metadata {
  return metadataOf(new Map(Object.entries({ ...metadata, ...change })), 'x.gguf');
}

function tokenizerOf(from: Metadata): Tokenizer {
  return loadTokenizer(ggufTokenizer(from, 'x.gguf'));
}

describe('a byte-level GGUF tokenizer', () => {
  it.each(Object.entries(rules))('with the rule %s gives the right ids', (pre, expected) => {
    const tokenizer = tokenizerOf(changed({ 'tokenizer.ggml.pre': pre }));
    for (const { text, ids } of expected.encode)
      expect([text, tokenizer.encode(text, { bos: false })]).toEqual([text, ids]);
    const [bos] = expected.beginsWithBos ? [[561]] : [[]];
    expect(tokenizer.encode('', { bos: true })).toEqual(bos);
  });

  it('without a name for its rule, or with an empty one, has the rule of "default"', () => {
    const texts = rules.default.encode;
    for (const from of [changed({}), changed({ 'tokenizer.ggml.pre': '' })])
      for (const { text, ids } of texts)
        expect(tokenizerOf(from).encode(text, { bos: false })).toEqual(ids);
  });

  it('has every rule that a name stands for', () => {
    for (const pre of preTokenizerNames()) {
      const tokenizer = tokenizerOf(changed({ 'tokenizer.ggml.pre': pre }));
      const text = "  I've 1234.5 Ünder\r\n世界 ";
      expect(tokenizer.decode(tokenizer.encode(text, { bos: false }))).toBe(text);
    }
  });

  const sameRule: [string, string[]][] = [
    ['falcon3', ['llama-bpe', 'llama3', 'llama-v3', 'midm-2.0', 'falcon-h1', 'lfm2', 'pixtral']],
    ['deepseek-r1-qwen', ['qwen2', 'megrez', 'kormo', 'hunyuan', 'stablelm2', 'f2llmv2']],
    ['starcoder', ['refact', 'smollm', 'minerva-7b', 'command-r', 'codeshell', 'exaone']],
    ['mellum', ['gpt-2', 'trillion', 'olmo', 'mpt', 'granite-docling', 'gigachat', 'exaone4']],
    ['smaug-bpe', ['dbrx', 'glm4', 'chatglm-bpe']],
    ['gpt-4o', ['llama4', 'kanana2', 'minimax-m2']],
  ];

  it.each(sameRule)('cuts by the rule of %s under its other names too', (pre, names) => {
    for (const name of names) {
      const tokenizer = tokenizerOf(changed({ 'tokenizer.ggml.pre': name }));
      for (const { text, ids } of rules[pre].encode)
        expect([name, tokenizer.encode(text, { bos: false })]).toEqual([name, ids]);
      expect(tokenizer.encode('', { bos: true })).toHaveLength(rules[pre].beginsWithBos ? 1 : 0);
    }
  });

  it('with an unknown rule is refused by its name, and with what is known', () => {
    expect(() => tokenizerOf(changed({ 'tokenizer.ggml.pre': 'gemma4' }))).toThrow(
      /x\.gguf: it cuts text by the rule "gemma4", which is not known here; known are default, gpt-2/,
    );
  });

  it('does as the file says about BOS', () => {
    const pre = { 'tokenizer.ggml.pre': 'llama-bpe' };
    const without = changed({ ...pre, 'tokenizer.ggml.add_bos_token': false });
    expect(tokenizerOf(without).encode('', { bos: true })).toEqual([]);
    expect(ggufTokenizerFacts(without)).toEqual({
      kind: 'gpt2',
      pre: 'llama-bpe',
      bosId: 561,
      addsBos: false,
    });
    expect(ggufTokenizerFacts(changed(pre)).addsBos).toBe(true);
    expect(ggufTokenizerFacts(changed({ 'tokenizer.ggml.bos_token_id': 9999 })).bosId).toBeNull();
  });

  it('refuses merges that are not two pieces', () => {
    const broken = metadataOf(
      new Map(Object.entries({ ...metadata, 'tokenizer.ggml.merges': ['a b', 'ab'] })),
      'x.gguf',
    );
    expect(() => tokenizerOf(broken)).toThrow(/merge 1 of its tokenizer is "ab"/);
  });

  it('takes the usual marks of turns for control marks, whatever type they have', () => {
    const types = metadata['tokenizer.ggml.token_type'] as number[];
    const tokens = metadata['tokenizer.ggml.tokens'] as string[];
    const from = metadataOf(
      new Map(
        Object.entries({
          ...metadata,
          'tokenizer.ggml.tokens': [...tokens, '<|im_end|>', '<tool>'],
          'tokenizer.ggml.token_type': [...types, 1, 4],
        }),
      ),
      'x.gguf',
    );
    const tokenizer = tokenizerOf(from);
    expect(tokenizer.controlMarks).toContain('<|im_end|>');
    expect(tokenizer.encode('<|im_end|>', { bos: false, special: true })).toEqual([tokens.length]);
    expect(tokenizer.encode('<|im_end|>', { bos: false })).not.toContain(tokens.length);
    expect(tokenizer.encode('<tool>', { bos: false })).toEqual([tokens.length + 1]);
  });

  it('opens from a file that does not name its rule', async () => {
    const checkpoint = await openFixture('without-pre.gguf');
    const tokenizer = await builtTokenizer(checkpoint);
    for (const { text, ids } of rules.default.encode)
      expect(tokenizer.encode(text, { bos: false })).toEqual(ids);
  });
});

const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };

function openFixture(path: string): Promise<Checkpoint> {
  return openGguf([{ path, source: memorySource(read(path)) }], label);
}

async function builtTokenizer({ manifest, sources }: Checkpoint): Promise<Tokenizer> {
  const source = sources[manifest.files.findIndex(({ path }) => path === manifest.tokenizer)];
  return loadTokenizer(JSON.parse(new TextDecoder().decode(await source.read(0, source.bytes))));
}

describe('Phi-3 as GGUF', () => {
  const { prompts } = v.parse(
    v.object({
      prompts: v.array(
        v.object({
          messages: v.array(
            v.object({ role: v.picklist(['system', 'user', 'assistant']), content: v.string() }),
          ),
          ids: v.array(v.number()),
        }),
      ),
    }),
    JSON.parse(read('phi3-marks.json').toString('utf8')),
  );

  it('takes in the white space behind its marks', async () => {
    const checkpoint = await openFixture('phi3-marks.gguf');
    const tokenizer = await builtTokenizer(checkpoint);
    for (const { messages, ids } of prompts)
      expect(chatPrompt(checkpoint.manifest, tokenizer, messages).ids).toEqual(ids);
    const blank = [{ role: 'user', content: '\n\n \u0085Hello' }] as const;
    expect(chatPrompt(checkpoint.manifest, tokenizer, blank).ids).toEqual(prompts[0].ids);
  });

  const pieces = (change: Record<string, string>): Tokenizer => {
    const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${hex(byte)}>`);
    const tokens = ['<unk>', '<s>', '</s>', ...bytes, '▁', 'a', '▁a', '<|user|>', '<|endoftext|>'];
    const values = {
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.scores': tokens.map((_, id) => -id),
      'tokenizer.ggml.token_type': [2, 3, 3, ...bytes.map(() => 6), 1, 1, 1, 3, 3],
      ...change,
    };
    return tokenizerOf(metadataOf(new Map(Object.entries(values)), 'x.gguf'));
  };
  const marks = (tokenizer: Tokenizer, text: string) =>
    tokenizer.encode(text, { bos: false, special: true });

  it('is known by its architecture, or its name', () => {
    for (const change of [{ 'general.architecture': 'phi3' }, { 'general.name': 'My Phi-3.5' }]) {
      const tokenizer = pieces(change);
      expect(marks(tokenizer, '<|user|>\n a</s>\n')).toEqual([262, 261, 2]);
      // These three do not.
      expect(marks(tokenizer, '<|endoftext|>\n')).toEqual([263, 259, 13]);
      expect(marks(tokenizer, '<s>\n')).toEqual([1, 259, 13]);
    }
  });

  it('is the only one that does; others keep their newlines, and BOS is 1 where none is named', () => {
    const llama = pieces({ 'general.architecture': 'llama' });
    expect(marks(llama, '<|user|>\na')).toEqual([262, 259, 13, 260]);
    expect(llama.encode('', { bos: true })).toEqual([1]);
  });
});

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}

it('a GGUF file that says it has no tokenizer has none; one of another kind is refused by name', () => {
  expect(ggufTokenizer(changed({ 'tokenizer.ggml.model': 'none' }), 'x.gguf')).toBeNull();
  expect(() => ggufTokenizer(changed({ 'tokenizer.ggml.model': 't5' }), 'x.gguf')).toThrow(
    /its tokenizer is of the kind "t5", which cannot be built/,
  );
});

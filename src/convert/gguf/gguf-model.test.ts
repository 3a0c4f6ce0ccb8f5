import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chatPrompt } from '../../model/text/chat-template.ts';
import type { ModelConfig } from '../../model/config.ts';
import { dequantise } from '../../model/numbers/dequantise.ts';
import { parseManifestText } from '../../model/parse-manifest.ts';
import { loadTokenizer, type Tokenizer } from '../../model/text/tokenizer.ts';
import { memorySource } from '../sources/byte-source.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { cutShards } from '../cutting/cut.ts';
import { writeGguf, type GgufField } from '../fixtures/gguf-writer.ts';
import {
  tinyGguf,
  tinyGgufConfig,
  tinyGgufMetadata,
  tinyGgufTensors,
  tinyWeights,
} from '../fixtures/tiny-gguf.ts';
import { openGguf } from './gguf-model.ts';

const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };

function open(...files: Uint8Array[]): Promise<Checkpoint> {
  return openGguf(
    files.map((file, i) => ({ path: `tiny-${i}.gguf`, source: memorySource(file) })),
    label,
  );
}

function changed(change: Record<string, GgufField>): Uint8Array {
  return writeGguf({ ...tinyGgufMetadata(), ...change }, tinyGgufTensors());
}

async function tokenizerOf({ manifest, sources }: Checkpoint): Promise<Tokenizer> {
  const index = manifest.files.findIndex(({ path }) => path === manifest.tokenizer);
  const bytes = await sources[index].read(0, sources[index].bytes);
  return loadTokenizer(JSON.parse(new TextDecoder().decode(bytes)));
}

describe('openGguf', () => {
  it('describes the model by its metadata', async () => {
    const { manifest } = await open(tinyGguf());
    expect(manifest.config).toEqual(tinyGgufConfig);
    expect(manifest.layers.map(({ tensors }) => tensors.length)).toEqual([1, 9, 9, 2]);
    expect(manifest.chatTemplate).toContain('messages');
  });

  it('takes the licence from the file where nobody else names one', async () => {
    const file = changed({ 'general.license': ['string', 'apache-2.0'] });
    const source = memorySource(file);
    const unknown = { ...label, licence: 'unknown' };
    const { manifest } = await openGguf([{ path: 'tiny.gguf', source }], unknown);
    expect(manifest.licence).toBe('apache-2.0');
    expect((await open(file)).manifest.licence).toBe('MIT');
  });

  it('finds every tensor under its Hugging Face name', async () => {
    const { manifest, sources } = await open(tinyGguf());
    for (const tensor of manifest.layers.flatMap(({ tensors }) => tensors)) {
      const bytes = await sources[tensor.file].read(tensor.offset, tensor.bytes);
      const numbers = dequantise(tensor.dtype, bytes);
      expect(numbers).toEqual(tinyWeights(tensor.name, numbers.length));
    }
  });

  it('knows that Llama alone is stored for adjacent-pair rotation', async () => {
    const rotary = ({ manifest }: Checkpoint) =>
      manifest.layers[1].tensors
        .filter((tensor) => tensor.interleavedRotary)
        .map(({ name }) => name);
    expect(rotary(await open(tinyGguf()))).toEqual([
      'model.layers.0.self_attn.q_proj.weight',
      'model.layers.0.self_attn.k_proj.weight',
    ]);
    const qwen3: ModelConfig = { ...tinyGgufConfig, model_type: 'qwen3' };
    expect(rotary(await open(tinyGguf(qwen3)))).toEqual([]);
    const qwen2: ModelConfig = { ...tinyGgufConfig, model_type: 'qwen2', attention_bias: true };
    const checkpoint = await open(tinyGguf(qwen2));
    expect(rotary(checkpoint)).toEqual([]);
    expect(checkpoint.manifest.config.attention_bias).toBe(true);
  });

  it('passes Q4_0 and Q8_0 through to shards without loss', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gguf-'));
    try {
      const checkpoint = await open(tinyGguf(tinyGgufConfig, 'Q4_0'));
      const path = await cutShards(checkpoint, join(folder, 'tiny'), { weights: null });
      const cut = parseManifestText(await readFile(path, 'utf8'));
      const name = 'model.layers.1.mlp.down_proj.weight';
      const [before, after] = [checkpoint.manifest, cut].map(({ layers }) =>
        layers[2].tensors.find((tensor) => tensor.name === name),
      );
      if (!before || !after) throw new Error(`there is no ${name}`);
      const file = await readFile(join(folder, 'tiny', cut.files[after.file].path));
      expect(after.dtype).toBe('Q4_0');
      expect(Uint8Array.from(file.subarray(after.offset, after.offset + after.bytes))).toEqual(
        await checkpoint.sources[before.file].read(before.offset, before.bytes),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('reads a split file when all parts are there, in order', async () => {
    const tensors = tinyGgufTensors();
    const part = (no: number, metadata: Record<string, GgufField>) =>
      writeGguf(
        { ...metadata, 'split.no': ['uint32', no], 'split.count': ['uint32', 2] },
        no === 0 ? tensors.slice(0, 8) : tensors.slice(8),
      );
    const [first, second] = [part(0, tinyGgufMetadata()), part(1, {})];
    const { manifest } = await open(first, second);
    expect(manifest.files.map(({ path }) => path)).toEqual([
      'tiny-0.gguf',
      'tiny-1.gguf',
      'tokenizer.json',
    ]);
    expect(
      new Set(manifest.layers.flatMap(({ tensors: all }) => all.map(({ file }) => file))),
    ).toEqual(new Set([0, 1]));
    await expect(open(first)).rejects.toThrow(/one of 2 parts, and 1 came/);
    await expect(open(second, first)).rejects.toThrow(/is part 2 of 2, where part 1 belongs/);
  });

  it('takes rotary factors from their tensor', async () => {
    const factors = Float32Array.of(1, 2, 4, 8);
    const tensor = {
      name: 'rope_freqs.weight',
      shape: [4],
      type: 0,
      data: new Uint8Array(factors.buffer),
    };
    const file = writeGguf(tinyGgufMetadata(), [...tinyGgufTensors(), tensor]);
    const { manifest } = await open(file);
    expect(manifest.config.rope_scaling).toEqual({ rope_type: 'per_pair', factors: [1, 2, 4, 8] });
  });

  const wrong: [string, Record<string, GgufField>, RegExp][] = [
    [
      'an unknown architecture',
      { 'general.architecture': ['string', 'mamba'] },
      /"mamba".*not supported/,
    ],
    ['a mixture of experts', { 'llama.expert_count': ['uint32', 8] }, /mixture of experts/],
    ['missing metadata', { 'general.architecture': ['string', 'qwen2'] }, /lacks qwen2\./],
    [
      'metadata of the wrong kind',
      { 'llama.block_count': ['string', 'two'] },
      /llama\.block_count must be a number/,
    ],
    [
      'yarn',
      {
        'llama.rope.scaling.type': ['string', 'yarn'],
        'llama.rope.scaling.factor': ['float32', 4],
      },
      /"yarn"/,
    ],
    ['partial rotation', { 'llama.rope.dimension_count': ['uint32', 4] }, /rotates 4 of the 8/],
    [
      'more blocks than there are',
      { 'llama.block_count': ['uint32', 3] },
      /lacks the tensor for model\.layers\.2/,
    ],
    [
      'fewer blocks than there are',
      { 'llama.block_count': ['uint32', 1] },
      /holds model\.layers\.1\..*does not use/,
    ],
    ['a billion blocks', { 'llama.block_count': ['uint32', 1e9] }, /num_hidden_layers/],
    ['an unknown tokenizer', { 'tokenizer.ggml.model': ['string', 'rwkv'] }, /kind "rwkv"/],
    [
      'scores that do not fit',
      { 'tokenizer.ggml.scores': ['floats', [1]] },
      /1 scores for a vocabulary of 262/,
    ],
  ];
  for (const [what, change, message] of wrong)
    it(`refuses ${what}`, async () => {
      await expect(open(changed(change))).rejects.toThrow(message);
    });
});

describe('a tokenizer from GGUF metadata', () => {
  it('is SentencePiece where the file says llama', async () => {
    const checkpoint = await open(tinyGguf());
    const tokenizer = await tokenizerOf(checkpoint);
    expect(tokenizer.encode('a a!', { bos: true })).toEqual([1, 261, 261, 0x21 + 3]);
    expect(tokenizer.decode([261, 261, 0x21 + 3])).toBe('a a!');
    expect(
      chatPrompt(checkpoint.manifest, tokenizer, [{ role: 'user', content: 'a' }]).ids,
    ).toEqual([1, 261, 2]);
  });

  it('is byte-level where the file says gpt2, cut by the rule that it names', async () => {
    // GPT-2 writes bytes as letters: space is Ġ, é (C3 A9) is Ã©.
    const tokens = ['!', 'a', 'b', 'Ġ', 'Ã', '©', '1', '2', 'ab', 'Ġa', '12', 'Ġab', '<|end|>'];
    const metadata = (pre: string): Record<string, GgufField> => ({
      'tokenizer.ggml.model': ['string', 'gpt2'],
      'tokenizer.ggml.pre': ['string', pre],
      'tokenizer.ggml.tokens': ['strings', tokens],
      'tokenizer.ggml.token_type': ['ints', [...Array<number>(12).fill(1), 3]],
      'tokenizer.ggml.merges': ['strings', ['a b', 'Ġ a', '1 2', 'Ġ ab']],
      'tokenizer.ggml.eos_token_id': ['uint32', 12],
    });
    const load = async (pre: string) => tokenizerOf(await open(changed(metadata(pre))));
    const encode = (tokenizer: Tokenizer, text: string) =>
      tokenizer
        .encode(text, { bos: false, special: true })
        .map((id) => tokenizer.idToToken(id))
        .join('|');
    expect(encode(await load('gpt-2'), 'ab ab é12!')).toBe('ab|Ġab|Ġ|Ã|©|12|!');
    // Qwen splits numbers into digits, Llama 3 into groups of three. SmolLM splits digits before anything
    // else.
    expect(encode(await load('qwen2'), 'ab 12')).toBe('ab|Ġ|1|2');
    expect(encode(await load('llama-bpe'), 'ab 12')).toBe('ab|Ġ|12');
    expect(encode(await load('smollm'), 'ab 12')).toBe('ab|Ġ|1|2');
    expect(encode(await load('qwen2'), 'ab<|end|>ab')).toBe('ab|<|end|>|ab');
    const gpt2 = await load('gpt-2');
    expect(gpt2.decode(gpt2.encode('ab é 12!', { bos: false }))).toBe('ab é 12!');
    await expect(load('klingon')).rejects.toThrow(/rule "klingon"/);
  });
});

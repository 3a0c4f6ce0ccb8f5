import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { llamaTokenizer } from '../../model/fixtures/tokenizer-files.ts';
import { startRangeServer, type RangeServer } from '../fixtures/range-server.ts';
import { tinySafetensors, writeSafetensors } from '../fixtures/safetensors-writer.ts';
import {
  tinyGguf,
  tinyGgufConfig,
  tinyGgufMetadata,
  tinyGgufTensors,
} from '../fixtures/tiny-gguf.ts';
import { tinyLlama2c } from '../fixtures/tiny-llama2c.ts';
import { writeGguf } from '../fixtures/gguf-writer.ts';
import { cutShards } from '../cutting/cut.ts';
import { openCheckpointAt } from '../open-checkpoint.ts';
import type { Questions } from './answer.ts';
import { nothingKnown, type ModelDescription } from './description.ts';
import { inspectModel } from './inspect-model.ts';
import type { InspectOptions } from './options.ts';

let folder = '';
let server: RangeServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inspect-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await server?.close();
  server = undefined;
});

async function put(name: string, data: Uint8Array | string | object): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  const isText = typeof data === 'string' || data instanceof Uint8Array;
  await writeFile(path, isText ? data : JSON.stringify(data));
  return path;
}

function inspect(
  model: string,
  questions: Partial<Questions> = {},
  options: Partial<InspectOptions> = {},
): Promise<ModelDescription> {
  const none = { messages: null, addGenerationPrompt: true, text: null, special: false, ids: null };
  return inspectModel({
    model,
    questions: { ...none, ...questions },
    addressOnly: false,
    hubUrl: null,
    json: true,
    ...options,
  });
}

const config = { ...tinyGgufConfig, model_type: 'llama', eos_token_id: 2, bos_token_id: 1 };
const safetensors = writeSafetensors(tinySafetensors(tinyGgufConfig));
const template =
  '{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}';

const whole: Record<string, Uint8Array | string | object> = {
  'config.json': config,
  'model.safetensors': safetensors,
  'tokenizer.json': llamaTokenizer,
  'tokenizer_config.json': { bos_token: '<s>', eos_token: { content: '</s>' } },
  'chat_template.jinja': template,
  'generation_config.json': { temperature: 0.5, top_k: 20, top_p: 0.9 },
};

async function putFolder(files = whole): Promise<string> {
  for (const [name, data] of Object.entries(files)) await put(`model/${name}`, data);
  return join(folder, 'model');
}

describe('a folder', () => {
  it('is described field by field', async () => {
    expect(await inspect(await putFolder())).toEqual({
      ...nothingKnown(),
      kind: 'folder',
      family: 'llama',
      layers: tinyGgufConfig.num_hidden_layers,
      hiddenSize: 32,
      vocabularySize: 262,
      contextLength: 64,
      weights: [
        { type: 'F16', bytes: 53_632 },
        { type: 'F32', bytes: 640 },
      ],
      bytes: safetensors.byteLength,
      tokenizer: { kind: 'BPE', pre: null, bos: '<s>', addsBos: true },
      stopTokens: [{ id: 2, text: '</s>' }],
      controlMarks: [
        { id: 0, text: '<unk>' },
        { id: 1, text: '<s>' },
        { id: 2, text: '</s>' },
      ],
      rope: { theta: config.rope_theta, partialRotaryFactor: 1, scaling: null },
      sampling: {
        temperature: 0.5,
        topK: 20,
        topP: 0.9,
        minP: null,
        repetitionPenalty: null,
      },
      hasTemplate: true,
    });
  });

  it('counts a tensor once that embedding and head share', async () => {
    const { weights, bytes } = await inspect(await putFolder());
    expect(weights?.[0].bytes).toBeLessThan(bytes ?? 0);
  });

  it('is named by any of its files', async () => {
    const model = await putFolder();
    const known = await inspect(model);
    for (const name of ['config.json', 'tokenizer.json', 'chat_template.jinja'])
      expect(await inspect(join(model, name))).toEqual(known);
  });

  it('that says it has no bos has none, whatever id config.json names', async () => {
    const silent = { ...llamaTokenizer, post_processor: null };
    const model = await putFolder({
      ...whole,
      'tokenizer.json': silent,
      'tokenizer_config.json': { bos_token: null, eos_token: '</s>' },
    });
    expect((await inspect(model)).tokenizer).toMatchObject({ bos: null, addsBos: false });
    await put('model/tokenizer_config.json', {});
    expect((await inspect(model)).tokenizer).toMatchObject({ bos: '<s>', addsBos: false });
  });

  it('that holds only a configuration tells what that says', async () => {
    const scaling = { rope_type: 'linear', factor: 4 };
    const model = await putFolder({
      'config.json': { ...config, model_type: 'phi3', rope_scaling: scaling },
    });
    expect(await inspect(model)).toMatchObject({
      kind: 'folder',
      family: 'phi3',
      layers: tinyGgufConfig.num_hidden_layers,
      weights: null,
      bytes: null,
      tokenizer: null,
      controlMarks: null,
      stopTokens: [{ id: 2, text: null }],
      rope: { partialRotaryFactor: 1, scaling },
      hasTemplate: false,
      refusal: null,
    });
  });

  it('that holds only a tokenizer tells what that says', async () => {
    const model = await putFolder({ 'tokenizer.json': llamaTokenizer });
    expect(await inspect(model, { text: 'he ab' })).toMatchObject({
      kind: 'tokenizer',
      family: null,
      rope: null,
      tokenizer: { kind: 'BPE', bos: '<s>', addsBos: true },
      hasTemplate: false,
      ids: [267, 264, 261],
      refusal: null,
    });
  });

  it('that holds a tokenizer.model in place of tokenizer.json answers by it', async () => {
    const model = await putFolder({
      'tokenizer.model': await readFile(
        new URL('../hub/fixtures/sentencepiece/tokenizer.model', import.meta.url),
      ),
    });
    expect(await inspect(model, { text: 'Once upon a time' })).toMatchObject({
      kind: 'tokenizer',
      tokenizer: { kind: 'BPE', bos: '<s>', addsBos: true },
      ids: [353, 359, 261, 358],
      refusal: null,
    });
    expect(await inspect(join(model, 'tokenizer.model'))).toMatchObject({ kind: 'tokenizer' });
  });

  it('is found in another folder, where opening finds it', async () => {
    const model = await putFolder();
    await put('model/original/tokenizer.json', { model: {} });
    expect(await inspect(folder)).toEqual(await inspect(model));
  });

  it('that is refused tells the weights of model.safetensors, whatever an index names', async () => {
    const model = await putFolder({
      ...whole,
      'config.json': { ...config, model_type: 'mamba2' },
      'model.safetensors.index.json': { weight_map: { a: 'model-00001-of-00002.safetensors' } },
    });
    expect((await inspect(model)).bytes).toBe(safetensors.byteLength);
  });

  it('that holds only a template answers with text, and without ids', async () => {
    const model = await putFolder({
      'chat_template.jinja': template,
      'tokenizer_config.json': { bos_token: '<s>', eos_token: '</s>' },
    });
    const messages = [{ role: 'user' as const, content: 'hé' }];
    expect(await inspect(model, { messages })).toMatchObject({
      kind: 'tokenizer',
      hasTemplate: true,
      prompt: { text: '<s>[user]hé</s>[assistant]', ids: null },
      refusal: null,
    });
  });

  it('that is refused still tells what its files say', async () => {
    const model = await putFolder({ ...whole, 'config.json': { ...config, model_type: 'mamba2' } });
    expect(await inspect(model, { text: 'he' })).toMatchObject({
      kind: 'folder',
      family: 'mamba2',
      layers: tinyGgufConfig.num_hidden_layers,
      hiddenSize: 32,
      rope: null,
      bytes: safetensors.byteLength,
      tokenizer: { bos: '<s>' },
      sampling: { temperature: 0.5 },
      ids: [267],
      refusal: expect.stringContaining('"mamba2"') as string,
    });
  });

  it('names the types of weights that no layer reads', async () => {
    const quantised = writeSafetensors(
      new Map([['model.x.qweight', { dtype: 'I32', shape: [2], data: new Uint8Array(8) }]]),
    );
    const model = await putFolder({ ...whole, 'model.safetensors': quantised });
    expect(await inspect(model)).toMatchObject({
      weights: [{ type: 'I32', bytes: 8 }],
      refusal: expect.any(String) as string,
    });
  });

  it('without any file of a model says what was looked for', async () => {
    const model = await putFolder({ 'notes.txt': 'hello' });
    expect((await inspect(model)).refusal).toMatch(/no config\.json, tokenizer\.json/);
  });

  it('whose weights are of another format is refused', async () => {
    const model = await putFolder({ 'config.json': config, 'pytorch_model.bin': 'x' });
    expect((await inspect(model)).refusal).toMatch(/neither model\.safetensors nor/);
  });
});

describe('a GGUF file', () => {
  it('is described field by field', async () => {
    const file = tinyGguf();
    const path = await put('tiny.gguf', file);
    expect(await inspect(path)).toMatchObject({
      kind: 'gguf',
      baseUrl: null,
      fileName: 'tiny.gguf',
      requested: null,
      family: 'llama',
      layers: tinyGgufConfig.num_hidden_layers,
      vocabularySize: 262,
      contextLength: 64,
      weights: [{ type: 'F32' }],
      bytes: file.byteLength,
      tokenizer: { kind: 'llama', pre: null, bos: '<s>', addsBos: true },
      stopTokens: [{ id: 2, text: '</s>' }],
      rope: { partialRotaryFactor: 1, scaling: null },
      hasTemplate: true,
      refusal: null,
    });
  });

  it('says of its tokenizer what llama.cpp takes where it is silent', async () => {
    const metadata = Object.fromEntries(
      Object.entries(tinyGgufMetadata()).filter(([key]) => !/bos_token_id|add_bos_token/.test(key)),
    );
    const path = await put('silent.gguf', writeGguf(metadata, tinyGgufTensors()));
    expect((await inspect(path)).tokenizer).toEqual({
      kind: 'llama',
      pre: null,
      bos: '<s>',
      addsBos: true,
    });
  });

  it('of several types lists the largest first', async () => {
    const path = await put('tiny.gguf', tinyGguf(tinyGgufConfig, 'Q8_0'));
    expect((await inspect(path)).weights?.map(({ type }) => type)).toEqual(['Q8_0', 'F32']);
  });

  it('of an unknown family, or with tensors of an unknown type, still tells what it says', async () => {
    const metadata = {
      ...tinyGgufMetadata(),
      'general.architecture': ['string', 'mamba'] as ['string', string],
      'mamba.block_count': ['uint32', 7] as ['uint32', number],
    };
    const unknown = await put('unknown.gguf', writeGguf(metadata, tinyGgufTensors()));
    expect(await inspect(unknown)).toMatchObject({
      family: 'mamba',
      layers: 7,
      vocabularySize: 262,
      tokenizer: { kind: 'llama', bos: '<s>' },
      weights: [{ type: 'F32' }],
      refusal: expect.stringContaining('"mamba"') as string,
    });
    const odd = tinyGgufTensors().map((tensor) => ({ ...tensor, type: 39 }));
    const types = await put('odd.gguf', writeGguf(tinyGgufMetadata(), odd));
    expect(await inspect(types)).toMatchObject({
      family: 'llama',
      weights: null,
      tokenizer: { kind: 'llama' },
      refusal: expect.stringContaining('ggml type 39') as string,
    });
  });

  it('that is cut short, or missing a part, is refused', async () => {
    const cut = await put('cut.gguf', tinyGguf().slice(0, 100));
    expect(await inspect(cut)).toMatchObject({ kind: 'gguf', bytes: 100, family: null });
    expect((await inspect(cut)).refusal).toMatch(/cut short/);
    const part = await put('big-00002-of-00002.gguf', tinyGguf());
    expect((await inspect(part)).refusal).toMatch(/big-00001-of-00002\.gguf/);
  });

  it('is found in a folder of its own, and asked for by name among others', async () => {
    await put('one/a.gguf', tinyGguf());
    expect(await inspect(join(folder, 'one'))).toMatchObject({ kind: 'gguf', fileName: 'a.gguf' });
    await put('one/b.gguf', tinyGguf());
    expect((await inspect(join(folder, 'one'))).refusal).toMatch(/a\.gguf and b\.gguf/);
  });
});

describe('GGUF metadata as JSON', () => {
  const values = Object.fromEntries(
    Object.entries(tinyGgufMetadata()).map(([key, [, value]]) => [key, value]),
  );

  it('is described as the file would be, without weights', async () => {
    const path = await put('metadata.json', values);
    const messages = [{ role: 'user' as const, content: 'a' }];
    expect(await inspect(path, { text: 'a', messages, ids: [261] })).toMatchObject({
      kind: 'gguf',
      family: 'llama',
      layers: tinyGgufConfig.num_hidden_layers,
      vocabularySize: 262,
      weights: null,
      bytes: null,
      tokenizer: { kind: 'llama', pre: null, bos: '<s>', addsBos: true },
      stopTokens: [{ id: 2, text: '</s>' }],
      hasTemplate: true,
      prompt: { text: 'a</s>' },
      ids: [261],
      text: 'a',
      refusal: null,
    });
    expect(await inspect(dirname(path))).toMatchObject({ kind: 'gguf', family: 'llama' });
  });

  it('of the tokenizer alone answers about that', async () => {
    const tokenizer = Object.entries(values).filter(([key]) => key.startsWith('tokenizer.ggml'));
    const path = await put('metadata.json', Object.fromEntries(tokenizer));
    expect(await inspect(path, { text: 'a' })).toMatchObject({
      family: null,
      layers: null,
      vocabularySize: 262,
      rope: null,
      ids: [261],
      refusal: null,
    });
  });

  it('whose rotation is told by tensors tells the rest', async () => {
    const path = await put('metadata.json', {
      ...values,
      'llama.rope.scaling.type': 'longrope',
      'llama.rope.scaling.factor': 8,
    });
    expect(await inspect(path)).toMatchObject({
      layers: 2,
      stopTokens: [{ id: 2, text: '</s>' }],
      rope: null,
      refusal: null,
    });
  });

  it('that leaves the vocabulary out knows no vocabulary', async () => {
    const about = Object.entries(values).filter(([key]) => !key.startsWith('tokenizer.'));
    const path = await put('metadata.json', Object.fromEntries(about));
    expect(await inspect(path)).toMatchObject({ layers: 2, vocabularySize: null, tokenizer: null });
  });

  it.each([
    ['[]', /no GGUF metadata/],
    ['{"a":1}', /no GGUF metadata/],
    ['{"general.architecture":null}', /no GGUF metadata/],
    ['{"general.x":{"a":1}}', /no GGUF metadata/],
    [`{"general.x":${'['.repeat(9000)}${']'.repeat(9000)}}`, /no GGUF metadata/],
    ['{', /not complete JSON/],
  ])('is refused where it is %s', async (text, sentence) => {
    expect((await inspect(await put('metadata.json', text))).refusal).toMatch(sentence);
  });
});

describe('shards', () => {
  it('are described by their manifest', async () => {
    const { checkpoint, close } = await openCheckpointAt(await putFolder());
    await cutShards(checkpoint, join(folder, 'cut'), { weights: null });
    await close();
    const known = await inspect(join(folder, 'cut'), { text: 'he' });
    expect(known).toMatchObject({
      kind: 'shards',
      family: 'llama',
      tokenizer: { bos: '<s>' },
      sampling: { temperature: 0.5 },
      hasTemplate: true,
      ids: [267],
      refusal: null,
    });
    expect(await inspect(join(folder, 'cut', 'manifest.json'), { text: 'he' })).toEqual(known);
  });

  it('with a broken manifest are refused', async () => {
    await put('broken/manifest.json', { format: 'edgeshard', version: 2 });
    expect(await inspect(join(folder, 'broken'))).toMatchObject({
      kind: 'shards',
      refusal: expect.stringContaining('the manifest is broken') as string,
    });
  });
});

describe('an answer', () => {
  it('takes a text as a person types it, and added tokens where that is asked for', async () => {
    const model = await putFolder();
    const letters = (await inspect(model, { text: '<s>he' })).ids ?? [];
    expect(letters).not.toContain(1);
    expect((await inspect(model, { text: '<s>he', special: true })).ids?.[0]).toBe(1);
    expect((await inspect(model, { text: '' })).ids).toEqual([]);
  });

  it('gives the text of ids, and refuses ids that are none', async () => {
    const model = await putFolder();
    expect((await inspect(model, { ids: [267, 264, 261] })).text).toBe('he ab');
    expect(await inspect(model, { ids: [267, 99_999] })).toMatchObject({
      text: null,
      refusal: expect.stringContaining('99999') as string,
    });
  });

  it('gives the prompt of a conversation as text and as ids', async () => {
    const messages = [{ role: 'user' as const, content: 'he' }];
    const model = await putFolder();
    const { prompt } = await inspect(model, { messages });
    expect(prompt?.text).toBe('<s>[user]he</s>[assistant]');
    expect(prompt?.ids?.slice(0, 1)).toEqual([1]);
    expect(prompt?.ids?.filter((id) => id === 2)).toHaveLength(1);
    const ended = await inspect(model, { messages, addGenerationPrompt: false });
    expect(ended.prompt?.text).toBe('<s>[user]he</s>');
    expect(ended.prompt?.ids?.at(-1)).toBe(2);
  });

  it('is refused where there is nothing to answer by, beside what is known', async () => {
    const model = await putFolder({ 'config.json': config });
    const messages = [{ role: 'user' as const, content: 'he' }];
    expect((await inspect(model, { text: 'a' })).refusal).toMatch(/no tokenizer.*--text/);
    expect((await inspect(model, { ids: [1] })).refusal).toMatch(/no tokenizer.*--ids/);
    const known = await inspect(model, { messages });
    expect(known).toMatchObject({ family: 'llama', prompt: null });
    expect(known.refusal).toMatch(/no chat template/);
  });
});

describe('an address', () => {
  const hub = '/owner/tiny/resolve/main';

  async function serve(files: Record<string, Uint8Array | string | object>): Promise<string> {
    const bytes = Object.entries(files).map(([path, data]): [string, Uint8Array] => {
      if (data instanceof Uint8Array) return [path, data];
      return [path, Buffer.from(typeof data === 'string' ? data : JSON.stringify(data))];
    });
    server = await startRangeServer(new Map(bytes));
    return server.origin;
  }

  it('of a folder on a hub is described with where it is', async () => {
    const files = Object.entries(whole).map(([name, data]) => [`${hub}/${name}`, data] as const);
    const hubUrl = await serve(Object.fromEntries(files));
    expect(await inspect('owner/tiny', { text: 'he' }, { hubUrl })).toMatchObject({
      kind: 'folder',
      baseUrl: `${hubUrl}${hub}/`,
      fileName: null,
      family: 'llama',
      hasTemplate: true,
      ids: [267],
      refusal: null,
    });
  });

  it('of a GGUF file is described with its name', async () => {
    const origin = await serve({ '/files/tiny.gguf': tinyGguf() });
    expect(await inspect(`${origin}/files/tiny.gguf`)).toMatchObject({
      kind: 'gguf',
      baseUrl: `${origin}/files/`,
      fileName: 'tiny.gguf',
      requested: `${origin}/files/tiny.gguf`,
      family: 'llama',
      refusal: null,
    });
  });

  it('of a quant is described with the file that the hub lists for it', async () => {
    const list = '/api/models/owner/tiny/tree/main?recursive=true';
    const paths = ['tiny-Q8_0.gguf', 'tiny-Q4_K_M.gguf'];
    const hubUrl = await serve({
      [list]: paths.map((path) => ({ type: 'file', path })),
      [`${hub}/tiny-Q4_K_M.gguf`]: tinyGguf(),
    });
    const place = { kind: 'gguf', baseUrl: `${hubUrl}${hub}/`, requested: `${hubUrl}${list}` };
    expect(await inspect('owner/tiny:Q4_K_M', {}, { hubUrl, addressOnly: true })).toEqual({
      ...nothingKnown(),
      ...place,
      fileName: '*Q4_K_M*.gguf',
    });
    expect(server?.requests).toEqual([]);
    expect(await inspect('owner/tiny:Q4_K_M', {}, { hubUrl })).toMatchObject({
      ...place,
      fileName: 'tiny-Q4_K_M.gguf',
      family: 'llama',
      refusal: null,
    });
  });

  it('that is signed is read with its signature, which no sentence says', async () => {
    const query = '?X-Amz-Signature=f00ba4&X-Amz-Expires=60';
    const origin = await serve({ [`/tiny.gguf${query}`]: tinyGguf() });
    const found = await inspect(`${origin}/tiny.gguf${query}`);
    expect(found).toMatchObject({ family: 'llama', requested: `${origin}/tiny.gguf${query}` });
    expect((await inspect(`${origin}/none.gguf${query}`)).refusal).not.toMatch(/f00ba4/);
    const withPassword = await inspect(`http://jane:s3cr3t@127.0.0.1:9/tiny.gguf${query}`);
    expect(withPassword.refusal).toMatch(/user name or a password/);
    expect(JSON.stringify(withPassword)).not.toMatch(/jane|s3cr3t|f00ba4/);
  });

  it('where nothing is, is refused', async () => {
    const origin = await serve({});
    expect(await inspect(`${origin}/files/tiny.gguf`)).toMatchObject({
      kind: 'gguf',
      fileName: 'tiny.gguf',
      refusal: expect.stringContaining('there is no') as string,
    });
    expect((await inspect('owner/none', {}, { hubUrl: origin })).refusal).toMatch(/config\.json/);
    expect((await inspect(`${origin}/shards/x/manifest.json`)).refusal).toMatch(/manifest\.json/);
  });

  it('fetches nothing where only the address is asked for', async () => {
    const hubUrl = await serve({});
    expect(await inspect('owner/tiny', {}, { hubUrl, addressOnly: true })).toEqual({
      ...nothingKnown(),
      kind: 'folder',
      baseUrl: `${hubUrl}${hub}/`,
      requested: `${hubUrl}${hub}/config.json`,
    });
    const file = 'https://files.example/models/tiny.gguf';
    expect(await inspect(file, {}, { addressOnly: true })).toEqual({
      ...nothingKnown(),
      kind: 'gguf',
      baseUrl: 'https://files.example/models/',
      fileName: 'tiny.gguf',
      requested: file,
    });
    expect(server?.requests).toEqual([]);
  });

  it('that leads nowhere is refused in one sentence', async () => {
    expect((await inspect('a b c')).refusal).toMatch(/names no model/);
    expect((await inspect('./nothing')).refusal).toMatch(/nothing at \.\/nothing/);
    const dead = 'http://127.0.0.1:9/x.gguf';
    expect((await inspect(dead)).refusal).not.toBe('fetch failed');
  });
});

it('says of a llama2.c checkpoint what it holds', async () => {
  expect(await inspect(await put('stories.bin', tinyLlama2c()))).toMatchObject({
    kind: null,
    family: 'llama',
    fileName: 'stories.bin',
    refusal: null,
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withControlMarks } from '../../model/chat/prompt-reader.ts';
import { parseManifest } from '../../model/parse-manifest.ts';
import { chatPrompt, type ChatMessage } from '../../model/text/chat-template.ts';
import type { Manifest } from '../../model/manifest.ts';
import { blobTree } from '../sources/file-tree.ts';
import { openHubModel } from './hub-model.ts';

type Files = Record<string, unknown>;
const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };

function fixture(folder: string, name: string): Buffer {
  return readFileSync(new URL(`./fixtures/${folder}/${name}`, import.meta.url));
}

function jsonOf(folder: string, name: string): Files {
  return JSON.parse(fixture(folder, name).toString()) as Files;
}

/** Opens a folder of the fixtures; `change` replaces files, and null takes one away. */
async function open(folder: string, change: Files = {}): Promise<Manifest> {
  const files: Files = { 'model.safetensors': fixture(folder, 'model.safetensors') };
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    files[name] = jsonOf(folder, name);
  const blobs = Object.entries({ ...files, ...change }).flatMap(([path, content]) =>
    content === null
      ? []
      : [
          [
            path,
            new Blob([content instanceof Uint8Array ? new Uint8Array(content) : textOf(content)]),
          ] as const,
        ],
  );
  return (await openHubModel(blobTree(new Map(blobs)), label)).manifest;
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content);
}

function without(object: object, name: string): Files {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

const named = 'named-tokens';
const tokenizerConfig = jsonOf(named, 'tokenizer_config.json');
const tokenizer = withControlMarks(null, jsonOf(named, 'tokenizer.json'));
const hi: ChatMessage[] = [{ role: 'user', content: 'hi' }];

async function promptWith(change: Files): Promise<string> {
  return chatPrompt(await open(named, change), tokenizer, hi).text;
}

describe('tokens that tokenizer_config.json names', () => {
  const { prompts } = jsonOf(named, 'expected.json') as {
    prompts: { messages: ChatMessage[]; ids: number[] }[];
  };
  it.each(prompts)('are those of the chat template: $ids', async ({ messages, ids }) => {
    expect(chatPrompt(await open(named), tokenizer, messages).ids).toEqual(ids);
  });

  it.each([
    ['as text', { ...tokenizerConfig, bos_token: '<|x|>' }, '<|x|>U:hiA:'],
    ['with its content', { ...tokenizerConfig, bos_token: { content: '<|y|>' } }, '<|y|>U:hiA:'],
    ['as none', { ...tokenizerConfig, bos_token: null }, 'U:hiA:'],
  ])('are taken %s', async (_, config, text) => {
    expect(await promptWith({ 'tokenizer_config.json': config })).toBe(text);
  });

  it('come from special_tokens_map.json where it is silent, and last from config.json', async () => {
    const silent = without(tokenizerConfig, 'bos_token');
    const map = { 'special_tokens_map.json': { bos_token: { content: '<|m|>' } } };
    expect(await promptWith({ 'tokenizer_config.json': silent, ...map })).toBe('<|m|>U:hiA:');
    expect(await promptWith(map)).toBe('<|begin_of_sentence|>U:hiA:');
    expect(await promptWith({ 'tokenizer_config.json': silent })).toBe('<|end_of_sentence|>U:hiA:');
    const odd = { ...tokenizerConfig, bos_token: 7 };
    expect(await promptWith({ 'tokenizer_config.json': odd })).toBe('<|end_of_sentence|>U:hiA:');
  });

  it('are all there under their names', async () => {
    const template =
      '{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ unk_token }}{{ additional_special_tokens }}';
    const config = {
      eos_token: 'E',
      pad_token: { content: 'P' },
      unk_token: null,
      additional_special_tokens: ['a', { content: 'b' }],
    };
    const files = { 'tokenizer_config.json': config, 'chat_template.jinja': template };
    expect(await promptWith(files)).toBe("<|end_of_sentence|>EP['a', 'b']");
  });

  it('go with the manifest; manifests without them are read by their ids as before', async () => {
    const manifest = await open(named);
    expect(manifest.specialTokens).toMatchObject({ bos_token: '<|begin_of_sentence|>' });
    expect(parseManifest(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
    const earlier = parseManifest(without(manifest, 'specialTokens'));
    expect(chatPrompt(earlier, tokenizer, hi).text).toBe('<|end_of_sentence|>U:hiA:');
  });
});

describe('stop tokens of a folder', () => {
  const folder = 'stop-in-tokenizer-config';
  const stopsWith = async (change: Files): Promise<number[]> =>
    (await open(folder, change)).config.eos_token_id;
  const config = jsonOf(folder, 'config.json');

  it.each<[string, Files, number[]]>([
    ['config.json and tokenizer_config.json', {}, [257, 259]],
    [
      'the same with { content }',
      { 'tokenizer_config.json': { eos_token: { content: '<|im_end|>' } } },
      [257, 259],
    ],
    [
      'generation_config.json too',
      { 'generation_config.json': { eos_token_id: [258, 257] } },
      [257, 258, 259],
    ],
    ['tokenizer_config.json alone', { 'config.json': { ...config, eos_token_id: null } }, [259]],
    [
      'special_tokens_map.json',
      { 'tokenizer_config.json': {}, 'special_tokens_map.json': { eos_token: '<|im_end|>' } },
      [257, 259],
    ],
    [
      'one that the tokenizer lacks',
      { 'tokenizer_config.json': { eos_token: '<|nowhere|>' } },
      [257],
    ],
    ['none that is a list', { 'tokenizer_config.json': { eos_token: [259] } }, [257]],
  ])('are named by %s', async (_, change, stops) => {
    expect(await stopsWith(change)).toEqual(expect.arrayContaining(stops));
    if (stops.length === 1 && stops[0] === 257) expect(await stopsWith(change)).not.toContain(258);
  });

  it('need no tokenizer', async () => {
    expect(await stopsWith({ 'tokenizer.json': null })).toEqual([257]);
  });

  it('are found at the beginning of a tokenizer.json of many megabytes', async () => {
    const { added_tokens, ...rest } = jsonOf(folder, 'tokenizer.json');
    const long = `{"added_tokens": ${JSON.stringify(added_tokens)}, "padding": ${JSON.stringify('x'.repeat(3 << 20))}, ${JSON.stringify(rest).slice(1)}`;
    expect(await stopsWith({ 'tokenizer.json': long })).toContain(259);
    const late = `{"padding": ${JSON.stringify('x'.repeat(3 << 20))}, "added_tokens": ${JSON.stringify(added_tokens)}, ${JSON.stringify(rest).slice(1)}`;
    expect(await stopsWith({ 'tokenizer.json': late })).toContain(259);
  });
});

describe('sampling of a folder', () => {
  it('is what a sampler takes of generation_config.json, whatever else is there', async () => {
    const odd = { top_k: -1, top_p: 1.2, min_p: -0.1, repetition_penalty: 0, temperature: 0.7 };
    const opened = await open(named, { 'generation_config.json': odd });
    expect(opened.sampling).toEqual({ temperature: 0.7 });
    const greedy = { do_sample: false, temperature: 0.6, top_p: 0.9, repetition_penalty: 1.1 };
    const manifest = await open(named, { 'generation_config.json': greedy });
    expect(manifest.sampling).toEqual({ temperature: 0, repetition_penalty: 1.1 });
  });
});

describe('a chat template', () => {
  const templateWith = async (change: Files): Promise<string | null> =>
    (await open('stop-in-tokenizer-config', change)).chatTemplate;

  it.each<[string, Files, string | null]>([
    ['in no file', {}, null],
    [
      'of its own file',
      { 'chat_template.jinja': 'own', 'tokenizer_config.json': { chat_template: 'config' } },
      'own',
    ],
    [
      'of tokenizer_config.json',
      { 'tokenizer_config.json': { chat_template: 'config' } },
      'config',
    ],
    [
      'named default in a list',
      {
        'tokenizer_config.json': {
          chat_template: [
            { name: 'rag', template: 'r' },
            { name: 'default', template: 'd' },
          ],
        },
      },
      'd',
    ],
    [
      'named default',
      { 'tokenizer_config.json': { chat_template: { rag: 'r', default: 'd' } } },
      'd',
    ],
    [
      'that is the only one',
      { 'tokenizer_config.json': { chat_template: [{ name: 'tool_use', template: 't' }] } },
      't',
    ],
    ['of a processor', { 'chat_template.json': { chat_template: 'p' } }, 'p'],
    ['in a folder of its own', { 'additional_chat_templates/default.jinja': 'a' }, 'a'],
    ['that is empty', { 'chat_template.jinja': ' \n' }, null],
    ['that is null', { 'tokenizer_config.json': { chat_template: null } }, null],
    ['that is a number', { 'tokenizer_config.json': { chat_template: 5 } }, null],
  ])('%s is found', async (_, change, template) => {
    expect(await templateWith(change)).toBe(template);
  });

  it('is not guessed among several without a default', async () => {
    const chat_template = [
      { name: 'rag', template: 'r' },
      { name: 'tool_use', template: 't' },
    ];
    const manifest = await open(named, { 'tokenizer_config.json': { chat_template } });
    expect(() => chatPrompt(manifest, tokenizer, hi).text).toThrow(
      /it has the templates rag, tool_use, and none is named default/,
    );
  });
});

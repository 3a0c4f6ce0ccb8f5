/**
 * Whatever a file holds, a person pastes or a server answers: its reader makes sense of it, or says in one sentence of
 * the project's own what is wrong. Never an error of the language's own, and never long in coming to it.
 */
import { describe, expect, it } from 'vitest';
import { blobTree } from '../../src/convert/sources/file-tree.ts';
import { readDescription } from '../../src/convert/hub/hub-model.ts';
import { metadataOf } from '../../src/convert/gguf/gguf-metadata.ts';
import { ggufTokenizer } from '../../src/convert/gguf/gguf-tokenizer.ts';
import { writeTokenizerModel } from '../../src/convert/fixtures/tokenizer-model-writer.ts';
import { sentencePieceFolderTokenizer } from '../../src/convert/tokenizers/sentencepiece-folder.ts';
import { locateModel } from '../../src/convert/model-address.ts';
import { withControlMarks } from '../../src/model/chat/prompt-reader.ts';
import { templateSwitches } from '../../src/model/chat/template-switches.ts';
import { chatPrompt, renderChat } from '../../src/model/text/chat-template.ts';
import { smollm2 } from '../../src/convert/fixtures/hub-configs.ts';
import { byteLevelTokenizer, llamaTokenizer } from '../../src/model/fixtures/tokenizer-files.ts';
import { loadTokenizer } from '../../src/model/text/tokenizer.ts';
import { parseProblem, solve } from '../../src/planner/index.ts';
import { startRandom } from '../../src/planner/random.ts';
import { relayServers } from '../../src/room/links/relay-servers.ts';
import { parseOptions } from '../../src/server/options.ts';
import { parseEmulatedLink } from '../../src/transport/emulated-network.ts';
import { makeRoomLink, parseRoomLink } from '../../src/transport/room-link.ts';
import { parsePageOptions } from '../../src/ui/page-options.ts';
import { loadServerInfo } from '../../src/ui/server-info.ts';
import { parseDemoOptions } from '../demo/options.ts';
import { below, oneOf, spoiltBytes, spoiltText, spoiltValue, type Random } from './mutate.ts';

interface Reader {
  name: string;
  /** Inputs that are right. */
  whole: readonly unknown[];
  read: (input: never) => unknown;
  /** False where whatever cannot be used is gone without. */
  refuses?: boolean;
}

const roomLinks = [
  makeRoomLink('https://192.168.1.20:8443/', { hostId: 'k3f9q2vx7m1n', key: new Uint8Array(32) }),
  makeRoomLink('https://example.org/app/', {
    hostId: 'room-1',
    key: new Uint8Array(16).fill(255),
    signallingUrl: 'https://rooms.example.org/peerjs',
    iceServers: [
      { urls: ['stun:a.example:3478', 'turn:b.example'], username: 'u', credential: 'c' },
    ],
  }),
];

const problem = {
  layers: ['embed', 'layer0', 'layer1', 'head'].map((name) => ({
    name,
    memoryBytes: 100,
    outputBytes: 1000,
  })),
  devices: [
    { id: 'host', memoryBytes: 400, layerMs: [1, 10, 10, 2], loaded: [0] },
    {
      id: 'a',
      memoryBytes: 300,
      layerMs: [1, 2, 2, 1],
      count: 2,
      layerMsByBatch: { '4': [2, 4, 4, 2] },
    },
  ],
  links: [
    { from: 'host', to: 'a', latencyMs: 1, mbps: 8, p90LatencyMs: 2 },
    { from: 'a', to: 'host', latencyMs: 1, mbps: 8, hopMs: 1 },
    { from: 'a', to: 'a', latencyMs: 1, mbps: 8 },
  ],
  source: 'host',
  pin: { first: 1, last: 1 },
  shared: [{ layers: [0, 3], memoryBytes: 80 }],
  kvBytesPerToken: 1,
  context: 16,
  sequences: 1,
  switching: { toleranceRatio: 0.1 },
  request: { prompt: 20, generate: 5 },
};

const templates = [
  "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  "{{ bos_token }}{% set ns = namespace(a=0) %}{% for m in messages if m.role != 'system' %}{% set ns.a = loop.index %}" +
    '{{ m.content | trim }}{{ ns.a }}{% else %}{{ raise_exception("none") }}{% endfor %}',
];
const conversation = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Hello' },
] as const;

const hubFiles = {
  'config.json': {
    ...smollm2,
    rope_scaling: {
      rope_type: 'llama3',
      factor: 32,
      high_freq_factor: 4,
      low_freq_factor: 1,
      original_max_position_embeddings: 8192,
    },
  },
  'generation_config.json': { eos_token_id: [2, 7], temperature: 0.7, top_k: 20 },
  'special_tokens_map.json': { bos_token: { content: '<s>' }, additional_special_tokens: ['<x>'] },
  'tokenizer.json': { added_tokens: [{ id: 2, content: '</s>' }], model: { vocab: { a: 0 } } },
  'tokenizer_config.json': {
    chat_template: [
      { name: 'default', template: templates[0] },
      { name: 'tool_use', template: templates[1] },
    ],
  },
};

function describeHub(files: unknown): Promise<unknown> {
  const blobs = Object.entries(Object(files) as object).map(
    ([path, json]) => [path, new Blob([JSON.stringify(json)])] as const,
  );
  return readDescription(blobTree(new Map(blobs)));
}

const ice = {
  iceServers: [{ urls: 'turn:192.168.1.20:8443?transport=udp', username: 'a', credential: 'b' }],
};
const info = {
  version: '1',
  lanOrigins: ['https://192.168.1.20:8443'],
  models: [
    { name: 'a', title: 'A', licence: 'MIT', manifestPath: 'shards/a/manifest.json', bytes: 1 },
  ],
};

function useTokenizer(json: unknown): void {
  const tokenizer = loadTokenizer(json);
  const ids = tokenizer.encode('He ate <s> a héron </s>', { bos: true, special: true, mask: '*' });
  tokenizer.decode(ids);
  const stream = tokenizer.streamDecoder(ids);
  for (const id of [...ids, 0, 300, -1, 1e9]) stream.push(id);
  stream.end();
}

const bytePieces = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);
const pieces = [
  { text: '<unk>', score: 0, type: 2 },
  { text: '<s>', score: 0, type: 3 },
  { text: '</s>', score: 0, type: 3 },
  { text: '<word>', score: 0, type: 4 },
  ...bytePieces.map((text) => ({ text, score: 0, type: 6 })),
  ...['▁', 'h', 'e', 'he', '▁he'].map((text, at) => ({ text, score: -at, type: 1 })),
];
const tokenizerModels = [
  writeTokenizerModel(pieces, { modelType: 2, byteFallback: true, dropsExtraSpaces: false }),
  writeTokenizerModel(pieces, { modelType: 1, byteFallback: false, dropsExtraSpaces: true }),
];
const besideModel = {
  added: { '<|x|>': pieces.length },
  config: {
    bos_token: { content: '<s>' },
    added_tokens_decoder: { '3': { content: '<word>', special: true, rstrip: true } },
  },
};

const byteLevelMetadata = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'llama-bpe',
  'tokenizer.ggml.tokens': ['<s>', ...Array.from('ĠaehtHronÃ©'), 'he', 'at'],
  'tokenizer.ggml.token_type': [3, ...Array<number>(13).fill(1)],
  'tokenizer.ggml.merges': ['h e', 'a t'],
  'tokenizer.ggml.bos_token_id': 0,
};
const pieceMetadata = {
  'general.architecture': 'phi3',
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': pieces.map(({ text }) => text),
  'tokenizer.ggml.scores': pieces.map(({ score }) => score),
  'tokenizer.ggml.token_type': pieces.map(({ type }) => type),
  'tokenizer.ggml.add_space_prefix': true,
};
function usePrompt(chatTemplate: string): void {
  const model = {
    chatTemplate,
    title: 'A model',
    specialTokens: { pad_token: '<pad>' },
    config: { bos_token_id: 1, eos_token_id: [2] },
  };
  templateSwitches(chatTemplate);
  chatPrompt(model, withControlMarks(chatTemplate, llamaTokenizer), conversation);
}

const readers: Reader[] = [
  {
    name: 'a tokenizer.model',
    whole: tokenizerModels,
    read: (model) => useTokenizer(sentencePieceFolderTokenizer({ model })),
  },
  {
    name: 'what stands beside a tokenizer.model',
    whole: [besideModel],
    read: (folder) => {
      const { added, config } = Object(folder) as Record<string, unknown>;
      const [model] = tokenizerModels;
      useTokenizer(sentencePieceFolderTokenizer({ model, addedTokens: added, config }));
    },
  },
  {
    name: 'the tokenizer of a GGUF file',
    whole: [byteLevelMetadata, pieceMetadata],
    read: (values) => {
      const metadata = metadataOf(new Map(Object.entries(Object(values) as object)), 'x.gguf');
      const built = ggufTokenizer(metadata, 'x.gguf');
      if (built) useTokenizer(built);
    },
  },
  { name: 'a tokenizer.json', whole: [llamaTokenizer, byteLevelTokenizer], read: useTokenizer },
  { name: 'a room link', whole: roomLinks, read: parseRoomLink },
  {
    name: 'a problem of the planner',
    whole: [problem],
    read: (input) => solve(parseProblem(input), { timeLimitMs: 20 }),
  },
  {
    name: 'a chat template',
    whole: templates,
    read: (template) => renderChat(template, conversation, { bos: '<s>', eos: '</s>' }),
  },
  { name: 'a prompt by a chat template', whole: templates, read: usePrompt },
  { name: 'what a hub says of a model', whole: [hubFiles], read: describeHub },
  {
    name: 'an emulated link',
    whole: ['a=20ms/50mbit/1%', 'host=20ms~5ms'],
    read: parseEmulatedLink,
  },
  {
    name: 'the demo’s options',
    whole: [
      ['--devices', '3', '--link', 'a=20ms/50mbit/1%', '--prompt-ids', '1,2,3', '--top-k', '4'],
      ['--plan', 'host:0-3,a:4-6,host:7', '--memory', '512', '--seed', '4', '--json'],
    ],
    read: parseDemoOptions,
  },
  {
    name: 'the server’s options',
    whole: [
      ['--port', '8080', '--https-port', '8443', '--cert', 'a.pem', '--key', 'b.pem'],
      ['--connect', 'https://example.org', '--allow-app', 'http://a:1', '--no-relay'],
    ],
    read(args) {
      const command = parseOptions(args);
      if (command.kind === 'refused') throw new Error(command.reason);
    },
  },
  {
    name: 'the page’s address',
    whole: ['?backend=wasm&threads=1&memory=512MB&plan=host:0-3,a:4-6,host:7&devices=3&door=open'],
    read: parsePageOptions,
  },
  {
    name: 'a model’s address',
    whole: [
      'owner/model@main',
      'https://huggingface.co/owner/model/tree/main/a%20b.gguf',
      'https://models.example.org/a%20b/model-00001-of-00002.gguf?x=1#y',
    ],
    read: locateModel,
  },
  {
    name: 'a server’s relays',
    whole: [ice],
    refuses: false,
    read: (body) => relayServers(() => Promise.resolve(new Response(JSON.stringify(body)))),
  },
  {
    name: 'a server’s models',
    whole: [info],
    read: (body) => loadServerInfo(() => Promise.resolve(new Response(JSON.stringify(body)))),
  },
];

const tries = 1500;
/** They take a millisecond or two; what takes so long, on the busiest machine, comes to no end. */
const longestMs = 5000;

/** A copy that is wrong somewhere; of several texts, one. */
function spoilt(whole: unknown, random: Random): unknown {
  if (typeof whole === 'string') return spoiltText(whole, random);
  if (whole instanceof Uint8Array) return spoiltBytes(whole, random, 3);
  if (!Array.isArray(whole)) return spoiltValue(whole, random);
  const texts = whole as readonly string[];
  const at = below(random, texts.length);
  return texts.map((text, index) => (index === at ? spoiltText(text, random) : text));
}

/** One sentence or two for a person, and none of the language's. */
function isSentence(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { message } = error;
  const isOurs = ![TypeError, RangeError, SyntaxError, ReferenceError, URIError].some(
    (type) => error instanceof type,
  );
  const isProse = !/\n|Cannot read|\.\w+ is not a function/.test(message);
  return isOurs && isProse && message.length > 10 && message.length < 1500;
}

describe.each(readers)('$name', ({ whole, read, refuses = true }) => {
  it.each(whole.map((input) => [input]))('that is whole is read', async (input) => {
    await read(input as never);
  });

  it('that is spoilt is read, or refused in a sentence', async () => {
    const random = startRandom(1);
    let understood = 0;
    let refused = 0;
    for (let attempt = 0; attempt < tries; attempt++) {
      const given = spoilt(oneOf(random, whole), random);
      const startedMs = performance.now();
      try {
        await read(given as never);
        understood++;
      } catch (error) {
        refused++;
        const what = error instanceof Error ? error.stack : error;
        expect(isSentence(error), `${JSON.stringify(given)}: ${String(what)}`).toBe(true);
      }
      expect(performance.now() - startedMs, JSON.stringify(given)).toBeLessThan(longestMs);
    }
    // Else this shows nothing of one of the two.
    expect(understood).toBeGreaterThan(0);
    if (refuses) expect(refused).toBeGreaterThan(0);
  });
});

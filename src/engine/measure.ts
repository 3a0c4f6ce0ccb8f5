/**
 * What this device needs for a token, measured on random weights in the model's real shapes.
 *
 * One hot row is up to a third faster than the same row among others, so as many layers are measured at
 * once as exceed the last-level cache, though never more than the model has.
 */
import type { ModelConfig } from '../model/config.ts';
import { tensorBytes } from '../model/dtype.ts';
import type { ComputeProfile, EngineInfo, WeightType } from './engine.ts';
import { createEmbedding } from './embedding.ts';
import { computedWith } from './linear.ts';
import {
  createHeadRow,
  createLayerRow,
  runLayers,
  type LayerRow,
  type RowOptions,
} from './loaded-row.ts';
import { findPrefillChunk } from './prefill-check.ts';
import { noise, randomTensors } from './random-tensors.ts';
import { float32, takeFloats, type Runtime } from './runtime.ts';
import { storedAs } from './stored-as.ts';
import { medianMs, type TimingLimits } from './timing.ts';

export interface MeasureOptions {
  runtime: Runtime;
  config: ModelConfig;
  contextLength: number;
}

/** More than the last-level cache of most devices. */
const workingSetBytes = 64 * 2 ** 20;
/** A lookup touches one row of the table: this many stand for all. */
const embeddingSample = 4096;
/** f32 is exact: another type must be this much faster to be worth its error. */
const worthwhileSpeedup = 1.05;
/** Positions that each measured token attends to. */
const pastLength = 32;
const timing: TimingLimits = { warmUpMs: 100, measureMs: 150 };

/** See `Engine.measure`. */
export async function measure(
  options: MeasureOptions,
  weights: WeightType | 'auto',
  onProgress: (fraction: number) => void = () => undefined,
): Promise<ComputeProfile> {
  const { info } = options.runtime;
  const types = weights === 'auto' ? candidates(info) : [computedWith(info, weights)];
  const steps = types.length + 1;
  const measured: LayerFigures[] = [];
  for (const [index, type] of types.entries()) {
    onProgress(index / steps);
    measured.push(await measureLayers(options, type));
  }
  const best = measured.reduce((chosen, next) =>
    next.layerMs * worthwhileSpeedup < chosen.layerMs ? next : chosen,
  );
  onProgress(types.length / steps);
  const head = await measureHead(options, best.weights);
  const embedding = measureEmbedding(options.config, best.weights);
  onProgress(1);
  return { backend: info.backend, ...best, ...head, ...embedding };
}

/** Exact first: a later type must be faster. */
function candidates(info: EngineInfo): WeightType[] {
  if (info.backend === 'wasm') return ['f32', 'q8'];
  return info.shaderF16 ? ['f32', 'f16', 'q8'] : ['f32', 'q8'];
}

type LayerFigures = Pick<
  ComputeProfile,
  'weights' | 'layerMs' | 'layerBytes' | 'prefillLayerMs' | 'prefillChunk'
>;

async function measureLayers(options: MeasureOptions, weights: WeightType): Promise<LayerFigures> {
  const { config, contextLength } = options;
  const layers: LayerRow[] = [];
  try {
    do layers.push(await createLayerRow({ ...options, weights, ...randomRow(config, weights) }));
    while (
      layers.length < config.num_hidden_layers &&
      layers.length * layers[0].memoryBytes < workingSetBytes
    );
    const prefillChunk = await findPrefillChunk({ ...options, weights, layer: layers[0] });
    const past = Math.max(0, Math.min(pastLength, contextLength - prefillChunk));
    for (let position = 0; position < past; position++)
      await runChain(options, layers, position, 1);
    const decodeMs = await medianMs(() => runChain(options, layers, past, 1), timing);
    const prefillMs = await medianMs(() => runChain(options, layers, past, prefillChunk), timing);
    return {
      weights,
      layerMs: decodeMs / layers.length,
      layerBytes: layers[0].memoryBytes,
      prefillLayerMs: prefillMs / layers.length / prefillChunk,
      prefillChunk,
    };
  } finally {
    for (const layer of layers) await layer.dispose();
  }
}

async function runChain(
  { runtime, config }: MeasureOptions,
  layers: LayerRow[],
  position: number,
  tokens: number,
): Promise<void> {
  const width = config.hidden_size;
  const input = float32(runtime.ort, noise(tokens * width, 1), [1, tokens, width]);
  const hidden = await runLayers(layers, { sequence: 0, position, tokens }, input);
  await takeFloats(hidden);
}

/** A head too large for that is measured on a part of its vocabulary. */
async function measureHead(
  options: MeasureOptions,
  weights: WeightType,
): Promise<Pick<ComputeProfile, 'headMs' | 'headBytes'>> {
  const { config, runtime } = options;
  const idBytes = tensorBytes('F32', [config.hidden_size]);
  const vocabulary = Math.min(config.vocab_size, Math.ceil(workingSetBytes / idBytes));
  const scale = config.vocab_size / vocabulary;
  const part = { ...config, vocab_size: vocabulary };
  const head = await createHeadRow({
    ...options,
    config: part,
    weights,
    ...randomRow(part, weights),
  });
  try {
    const values = noise(config.hidden_size, 1);
    const headMs = await medianMs(async () => {
      const hidden = float32(runtime.ort, values, [1, 1, config.hidden_size]);
      await takeFloats(await head.run(1, 1, hidden));
    }, timing);
    return { headMs: headMs * scale, headBytes: Math.ceil(head.memoryBytes * scale) };
  } finally {
    await head.dispose();
  }
}

function measureEmbedding(
  config: ModelConfig,
  weights: WeightType,
): Pick<ComputeProfile, 'embedMs' | 'embedBytes'> {
  const vocabulary = Math.min(config.vocab_size, embeddingSample);
  const part = { ...config, vocab_size: vocabulary };
  const table = randomRow(part, weights).tensors.take('model.embed_tokens.weight');
  const embedding = createEmbedding(part, table, weights);
  const ids = Int32Array.from({ length: vocabulary }, () => Math.random() * vocabulary);
  embedding.lookUp(ids);
  const started = performance.now();
  embedding.lookUp(ids);
  const embedMs = (performance.now() - started) / vocabulary;
  return { embedMs, embedBytes: embedding.memoryBytes * (config.vocab_size / vocabulary) };
}

function randomRow(config: ModelConfig, weights: WeightType): Pick<RowOptions, 'tensors'> {
  return { tensors: randomTensors(config, storedAs[weights]) };
}

/**
 * Measures what this device needs for a token, on random weights in the model's real shapes.
 *
 * One block alone is up to a third faster than among others, because its weights stay in the cache. So as
 * many blocks are measured at once as exceed the last-level cache, though never more than the model has.
 */
import type { ModelConfig } from '../model/config.ts';
import { tensorBytes } from '../model/numbers/dtype.ts';
import { createAttentionSessions } from './attention-sessions.ts';
import { createHeadLayer } from './edge-layers.ts';
import { createEmbedding } from './embedding.ts';
import type { ComputeProfile, EngineInfo, WeightType } from './engine.ts';
import { createBlockLayer, runBlocks, type BlockLayer } from './block-layer.ts';
import { computedWith } from './linear.ts';
import { findPrefillChunk } from './prefill-check.ts';
import { noise, randomTensors } from './random-tensors.ts';
import type { LayerOptions } from './layer.ts';
import { float32, takeFloats, type Runtime } from './runtime.ts';
import { storedAs } from './stored-as.ts';
import { blockMatrices } from './tensor-shapes.ts';
import { typicalMs, type TimingLimits } from './timing.ts';

export interface MeasureOptions {
  runtime: Runtime;
  config: ModelConfig;
  contextLength: number;
}

/** More than the last-level cache of most devices. */
const workingSetBytes = 64 * 2 ** 20;
/** A type is not tried if one block is larger than this: loading would take longer than measuring. */
const largestBlockBytes = 512 * 2 ** 20;
/** The number of table rows to measure: a lookup touches only one. */
const embeddingSample = 4096;
/** A longer run is measured on fewer blocks, so that slow devices also finish within seconds. */
const longestRunMs = 150;
/** Positions before the measured token: a few, and as many as in a long conversation. */
const shortPast = 32;
const longPast = 288;
const timing: TimingLimits = { warmUpMs: 80, measureMs: 150 };
const once: TimingLimits = { warmUpMs: 0, measureMs: 0 };
const sequence = 0;

/** See `Engine.measure`. */
export async function measure(
  options: MeasureOptions,
  weights: WeightType | 'auto',
  onProgress: (fraction: number) => void = () => undefined,
): Promise<ComputeProfile> {
  const { info } = options.runtime;
  const [first, ...others]: [Candidate, ...Candidate[]] =
    weights === 'auto'
      ? candidates(info, options.config)
      : [{ type: computedWith(info, weights), speedup: 1 }];
  const steps = others.length + 2;
  onProgress(0);
  let best = await measureBlocks(options, first.type);
  for (const [index, { type, speedup }] of others.entries()) {
    onProgress((index + 1) / steps);
    const measured = await measureBlocks(options, type);
    if (measured.blockMs * speedup < best.blockMs) best = measured;
  }
  onProgress((steps - 1) / steps);
  const head = await measureHead(options, best.weights);
  const embedding = measureEmbedding(options.config, best.weights);
  onProgress(1);
  return { backend: info.backend, ...best, ...head, ...embedding };
}

interface Candidate {
  type: WeightType;
  /** How much faster than the best so far this type must be, to make up for its error. */
  speedup: number;
}

/**
 * f32 is exact, so it comes first. On wasm q8 also rounds activations to 8 bits, which changes the answers of
 * small models. So wasm tries q8 only for blocks that are too large as f32, and no busy moment can choose it.
 */
function candidates(info: EngineInfo, config: ModelConfig): [Candidate, ...Candidate[]] {
  const quantised: Candidate = { type: 'q8', speedup: 1.05 };
  const larger: Candidate[] = [{ type: 'f32', speedup: 1 }];
  if (info.shaderF16) larger.push({ type: 'f16', speedup: 1.05 });
  const tried = larger.filter(({ type }) => blockBytes(config, type) <= largestBlockBytes);
  const isExactEnough = info.backend === 'wasm' && tried.length > 0;
  const [first, ...others] = isExactEnough ? tried : [...tried, quantised];
  return [first, ...others];
}

function blockBytes(config: ModelConfig, weights: WeightType): number {
  const sizes = blockMatrices(config).map((shape) => tensorBytes(storedAs[weights], shape));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

type BlockFigures = Pick<
  ComputeProfile,
  'weights' | 'blockMs' | 'attendMs' | 'blockBytes' | 'prefillBlockMs' | 'prefillChunk'
>;

async function measureBlocks(options: MeasureOptions, weights: WeightType): Promise<BlockFigures> {
  const { config, contextLength } = options;
  const attentions = createAttentionSessions(options.runtime, options);
  const add = () =>
    createBlockLayer({
      ...options,
      block: 0,
      attentions,
      weights,
      ...randomLayer(config, weights),
    });
  const blocks = [await add()];
  try {
    const [{ memoryBytes }] = blocks;
    const prefillChunk = await findPrefillChunk({ ...options, weights, block: blocks[0] });
    const onceMs = await typicalMs(() => runChain(options, blocks, 0, 1), once);
    const enough = Math.min(
      config.num_hidden_layers,
      Math.ceil(workingSetBytes / memoryBytes),
      Math.ceil(longestRunMs / onceMs),
    );
    while (blocks.length < enough) blocks.push(await add());
    const msAt = async (past: number, tokens: number): Promise<number> => {
      for (const block of blocks) await block.blank(sequence, past);
      return typicalMs(() => runChain(options, blocks, past, tokens), timing);
    };
    const least = Math.max(0, Math.min(shortPast, contextLength - prefillChunk));
    const most = Math.max(least + 1, Math.min(longPast, contextLength - 1));
    const decodeMs = await msAt(least, 1);
    const deepMs = await msAt(most, 1);
    const prefillMs = await msAt(least, prefillChunk);
    // A busy moment may exaggerate this: it is limited to half of the shorter run.
    const attendMs = Math.min(
      Math.max(0, deepMs - decodeMs) / (most - least),
      decodeMs / 2 / Math.max(1, least),
    );
    return {
      weights,
      blockMs: (decodeMs - attendMs * least) / blocks.length,
      attendMs: attendMs / blocks.length,
      blockBytes: memoryBytes,
      prefillBlockMs: prefillMs / blocks.length / prefillChunk,
      prefillChunk,
    };
  } finally {
    for (const block of blocks) await block.dispose();
    await attentions.dispose();
  }
}

async function runChain(
  { runtime, config }: MeasureOptions,
  blocks: BlockLayer[],
  position: number,
  tokens: number,
): Promise<void> {
  const width = config.hidden_size;
  const input = float32(runtime.ort, noise(tokens * width, 1), [1, tokens, width]);
  const hidden = await runBlocks(blocks, { sequence, position, tokens }, input);
  await takeFloats(hidden);
}

/** A head too large for the working set is measured on a part of its vocabulary. */
async function measureHead(
  options: MeasureOptions,
  weights: WeightType,
): Promise<Pick<ComputeProfile, 'headMs' | 'headBytes'>> {
  const { config, runtime } = options;
  const idBytes = tensorBytes('F32', [config.hidden_size]);
  const vocabulary = Math.min(config.vocab_size, Math.ceil(workingSetBytes / idBytes));
  const scale = config.vocab_size / vocabulary;
  const part = { ...config, vocab_size: vocabulary };
  const head = await createHeadLayer({
    ...options,
    config: part,
    weights,
    ...randomLayer(part, weights),
  });
  try {
    const values = noise(config.hidden_size, 1);
    const partMs = await typicalMs(async () => {
      const hidden = float32(runtime.ort, values, [1, 1, config.hidden_size]);
      await takeFloats(await head.run(1, 1, hidden));
    }, timing);
    return { headMs: partMs * scale, headBytes: Math.ceil(head.memoryBytes * scale) };
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
  const table = randomLayer(part, weights).tensors.take('model.embed_tokens.weight');
  const embedding = createEmbedding(part, table, weights);
  const ids = Int32Array.from({ length: vocabulary }, () => Math.random() * vocabulary);
  embedding.lookUp(ids);
  const started = performance.now();
  embedding.lookUp(ids);
  const embedMs = (performance.now() - started) / vocabulary;
  return { embedMs, embedBytes: embedding.memoryBytes * (config.vocab_size / vocabulary) };
}

function randomLayer(config: ModelConfig, weights: WeightType): Pick<LayerOptions, 'tensors'> {
  return { tensors: randomTensors(config, storedAs[weights]) };
}

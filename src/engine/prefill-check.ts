/**
 * Finds how many new positions one run may take on this device.
 *
 * Attention on some WebGPU devices is wrong from 32 new positions on. So each size is compared with the same
 * positions run in pieces that have already passed, after a past.
 */
import type { ModelConfig } from '../model/config.ts';
import type { Backend, WeightType } from './engine.ts';
import type { BlockLayer } from './block-layer.ts';
import { noise } from './random-tensors.ts';
import { float32, takeFloats, type Runtime } from './runtime.ts';
import { typicalMs } from './timing.ts';

export interface PrefillCheckOptions {
  runtime: Runtime;
  config: ModelConfig;
  contextLength: number;
  weights: WeightType;
  block: BlockLayer;
}

const sizes = [8, 16, 24, 32, 64, 128];
const pastLength = 4;
/** A larger chunk delays other work, so it must be this much faster per token. */
const worthwhileSpeedup = 1.05;
const timing = { warmUpMs: 0, measureMs: 20 };
/** After this time the sizes that passed will do, so that slow devices also finish. */
const budgetMs = 1500;

/** The smallest correct size that is about as fast per token as the fastest; 1 if none is correct. */
export async function findPrefillChunk(options: PrefillCheckOptions): Promise<number> {
  const { block, contextLength, config } = options;
  const tolerance = chunkTolerance(options.runtime.info.backend, options.weights);
  const past = noise(pastLength * config.hidden_size, Math.sqrt(3));
  await runInPieces(options, past, 0, 1);
  const end = performance.now() + budgetMs;
  const passed = [{ size: 1, tokenMs: Infinity }];
  for (const size of sizes) {
    if (pastLength + size > contextLength || (passed.length > 1 && performance.now() > end)) break;
    const hidden = noise(size * config.hidden_size, Math.sqrt(3));
    const trusted = passed[passed.length - 1].size;
    const pieces = await runInPieces(options, hidden, pastLength, trusted);
    const whole = await runInPieces(options, hidden, pastLength, size);
    if (!(relativeError(whole, pieces, hidden) < tolerance)) break;
    const runMs = await typicalMs(() => runInPieces(options, hidden, pastLength, size), timing);
    passed.push({ size, tokenMs: runMs / size });
  }
  block.release(sequence);
  const leastMs = Math.min(...passed.map(({ tokenMs }) => tokenMs));
  const worthwhile = passed.find(({ tokenMs }) => tokenMs <= leastMs * worthwhileSpeedup);
  return worthwhile?.size ?? 1;
}

const sequence = 0;

/**
 * The largest allowed difference between two ways of splitting the same positions, relative to the typical
 * size of what the block adds. f32 sums differ only in order; f16 rounds; wasm q8 scales its activations per
 * run.
 */
function chunkTolerance(backend: Backend, weights: WeightType): number {
  if (backend === 'wasm' && weights === 'q8') return 0.2;
  return weights === 'f16' ? 3e-2 : 1e-3;
}

/** Runs hidden states from `position` on, `piece` at a time. */
async function runInPieces(
  { block, runtime, config }: PrefillCheckOptions,
  hidden: Float32Array,
  position: number,
  piece: number,
): Promise<Float32Array> {
  const width = config.hidden_size;
  const result = new Float32Array(hidden.length);
  for (let start = 0; start * width < hidden.length; start += piece) {
    const values = hidden.subarray(start * width, (start + piece) * width);
    const tokens = values.length / width;
    const input = float32(runtime.ort, values, [1, tokens, width]);
    const output = await block.run({ sequence, position: position + start, tokens }, input);
    result.set(await takeFloats(output), start * width);
  }
  return result;
}

/** The largest difference, relative to the root mean square of what the block added; NaN if either has a NaN. */
function relativeError(a: Float32Array, b: Float32Array, hidden: Float32Array): number {
  let largest = 0;
  let squares = 0;
  for (let i = 0; i < b.length; i++) {
    largest = Math.max(largest, Math.abs(a[i] - b[i]));
    squares += (b[i] - hidden[i]) ** 2;
  }
  return largest / Math.sqrt(squares / b.length);
}

/**
 * How many new positions one run may take on this device.
 *
 * Attention on some WebGPU devices is wrong from 32 new positions on, so no size is trusted: each is
 * compared with the same positions run in pieces that have already passed, on top of a past.
 */
import type { ModelConfig } from '../model/config.ts';
import type { Backend, WeightType } from './engine.ts';
import type { LayerRow } from './loaded-row.ts';
import { noise } from './random-tensors.ts';
import { float32, takeFloats, type Runtime } from './runtime.ts';
import { medianMs } from './timing.ts';

export interface PrefillCheckOptions {
  runtime: Runtime;
  config: ModelConfig;
  contextLength: number;
  weights: WeightType;
  layer: LayerRow;
}

const sizes = [8, 16, 24, 32, 64, 128];
const pastLength = 8;
/** A larger chunk delays other work: it must bring this much per token to be worth it. */
const worthwhileSpeedup = 1.03;
const timing = { warmUpMs: 0, measureMs: 20 };

/** The fastest chunk size per token among those whose results are right; 1 if none is. */
export async function findPrefillChunk(options: PrefillCheckOptions): Promise<number> {
  const { layer, contextLength } = options;
  const tolerance = chunkTolerance(options.runtime.info.backend, options.weights);
  const longest = pastLength + sizes[sizes.length - 1];
  const hidden = noise(longest * options.config.hidden_size, Math.sqrt(3));
  let right = 1;
  let fastest = { size: 1, tokenMs: Infinity };
  for (const size of sizes) {
    if (pastLength + size > contextLength) break;
    const whole = await runInPieces(options, hidden, size, size);
    const pieces = await runInPieces(options, hidden, size, right);
    if (!(largestError(whole, pieces, hidden) < tolerance)) break;
    right = size;
    const runMs = await medianMs(() => runPiece(options, hidden, pastLength, size), timing);
    const tokenMs = runMs / size;
    if (tokenMs * worthwhileSpeedup > fastest.tokenMs) break;
    fastest = { size, tokenMs };
  }
  layer.release(sequence);
  return fastest.size;
}

const sequence = 0;

/**
 * How far two ways of cutting the same positions may lie apart, against the typical size of what the
 * layer adds. f32 sums differ in order only; f16 rounds; wasm q8 scales its activations per run.
 */
function chunkTolerance(backend: Backend, weights: WeightType): number {
  if (backend === 'wasm' && weights === 'q8') return 0.2;
  return weights === 'f16' ? 3e-2 : 1e-3;
}

/** Runs `size` positions on top of a fresh past, `piece` at a time. */
async function runInPieces(
  options: PrefillCheckOptions,
  hidden: Float32Array,
  size: number,
  piece: number,
): Promise<Float32Array> {
  const width = options.config.hidden_size;
  for (let position = 0; position < pastLength; position++)
    await runPiece(options, hidden, position, 1);
  const result = new Float32Array(size * width);
  for (let start = 0; start < size; start += piece) {
    const tokens = Math.min(piece, size - start);
    result.set(await runPiece(options, hidden, pastLength + start, tokens), start * width);
  }
  return result;
}

async function runPiece(
  { layer, runtime, config }: PrefillCheckOptions,
  hidden: Float32Array,
  position: number,
  tokens: number,
): Promise<Float32Array> {
  const width = config.hidden_size;
  const values = hidden.subarray(position * width, (position + tokens) * width);
  const input = float32(runtime.ort, values, [1, tokens, width]);
  return takeFloats(await layer.run({ sequence, position, tokens }, input));
}

function largestError(a: Float32Array, b: Float32Array, hidden: Float32Array): number {
  let largest = 0;
  let squares = 0;
  const offset = (hidden.length / (pastLength + sizes[sizes.length - 1])) * pastLength;
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    // A comparison with NaN is false: this way it is kept.
    if (!(difference <= largest)) largest = difference;
    squares += (b[i] - hidden[offset + i]) ** 2;
  }
  return largest / Math.sqrt(squares / b.length);
}

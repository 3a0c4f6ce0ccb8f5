/**
 * `npm run bench:dequantise`: measures how fast each stored type becomes f32 on this computer, and how large
 * the error of storing weights in it is.
 */
import { parseArgs } from 'node:util';
import { dequantise } from '../model/numbers/dequantise.ts';
import { blockLayout, dtypes, type Dtype } from '../model/numbers/dtype.ts';
import { firstNotFinite } from '../model/numbers/finite-check.ts';
import { quantise, type StorableDtype } from '../model/numbers/quantise.ts';

/** Numbers in one run: 16 MiB of f32, beyond most caches. */
const values = 1 << 22;
const rounds = 5;

interface Speed {
  dtype: Dtype;
  bitsPerWeight: number;
  /** Stored bytes read, and f32 bytes made; medians of the rounds. */
  storedMBps: number;
  floatMBps: number;
  /** Stored bytes checked for numbers that are not finite, as is done once for every tensor. */
  checkedMBps: number;
}

interface Loss {
  dtype: StorableDtype;
  quantiseMBps: number;
  /** Root mean square of the error over that of the weights. */
  relativeRmsError: number;
  /** Largest error over the root mean square of the weights. */
  relativeLargestError: number;
}

function main(): void {
  const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const speeds = dtypes.map(measureSpeed);
  const losses = (['F16', 'Q8_0', 'Q4_0'] as const).map(measureLoss);
  if (options.json) console.log(JSON.stringify({ values, rounds, speeds, losses }, null, 1));
  else printTables(speeds, losses);
}

function measureSpeed(dtype: Dtype): Speed {
  const { blockSize, blockBytes } = blockLayout[dtype];
  const bytes = plausibleBlocks(values / blockSize, blockBytes);
  const out = new Float32Array(values);
  const ms = medianMs(() => dequantise(dtype, bytes, out));
  const finite = new Uint8Array(bytes.byteLength);
  const checkMs = medianMs(() => firstNotFinite(dtype, finite));
  return {
    dtype,
    bitsPerWeight: (8 * blockBytes) / blockSize,
    storedMBps: bytes.byteLength / 1e3 / ms,
    floatMBps: (4 * values) / 1e3 / ms,
    checkedMBps: bytes.byteLength / 1e3 / checkMs,
  };
}

function measureLoss(dtype: StorableDtype): Loss {
  const weights = gaussianWeights();
  let stored = quantise(dtype, weights);
  const ms = medianMs(() => (stored = quantise(dtype, weights)));
  const back = dequantise(dtype, stored);
  let squares = 0;
  let errorSquares = 0;
  let largest = 0;
  for (const [i, weight] of weights.entries()) {
    const error = back[i] - weight;
    squares += weight * weight;
    errorSquares += error * error;
    largest = Math.max(largest, Math.abs(error));
  }
  return {
    dtype,
    quantiseMBps: (4 * values) / 1e3 / ms,
    relativeRmsError: Math.sqrt(errorSquares / squares),
    relativeLargestError: largest / Math.sqrt(squares / weights.length),
  };
}

/** Random bytes. Their f16 scales may have any size. */
function plausibleBlocks(blocks: number, blockBytes: number): Uint8Array {
  const bytes = new Uint8Array(blocks * blockBytes);
  let state = 1;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Weights like a trained model's: normally distributed, with a deviation of 0.02; the same at every call. */
function gaussianWeights(): Float32Array {
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  return Float32Array.from(
    { length: values },
    () => 0.02 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

function medianMs(run: () => unknown): number {
  run();
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return times[Math.floor(rounds / 2)];
}

function printTables(speeds: Speed[], losses: Loss[]): void {
  console.log(`Into f32, ${values / 1e6} million weights, median of ${rounds}\n`);
  console.log('type     bits/weight   stored MB/s   f32 MB/s   checked MB/s');
  for (const { dtype, bitsPerWeight, storedMBps, floatMBps, checkedMBps } of speeds)
    console.log(
      dtype.padEnd(9) +
        bitsPerWeight.toFixed(2).padStart(11) +
        storedMBps.toFixed(0).padStart(14) +
        floatMBps.toFixed(0).padStart(11) +
        checkedMBps.toFixed(0).padStart(15),
    );
  console.log("\nStored anew, bell-shaped weights; errors over the weights' root mean square\n");
  console.log('type     f32 MB/s   rms error   largest error');
  for (const { dtype, quantiseMBps, relativeRmsError, relativeLargestError } of losses)
    console.log(
      dtype.padEnd(9) +
        quantiseMBps.toFixed(0).padStart(8) +
        `${(100 * relativeRmsError).toFixed(4)} %`.padStart(12) +
        `${(100 * relativeLargestError).toFixed(3)} %`.padStart(16),
    );
}

main();

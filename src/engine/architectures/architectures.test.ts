import { beforeAll, expect, it } from 'vitest';
import type { ModelConfig } from '../../model/config.ts';
import type { StoredTensor } from '../engine.ts';
import { nodeRuntime, readTinyModelFile } from '../fixtures/node-runtime.ts';
import type { TinyModel } from '../fixtures/tiny-model.ts';
import { createLocalEngine } from '../local-engine.ts';

const tokens = 12;
let llama: TinyModel;
let hidden: Float32Array;

beforeAll(async () => {
  llama = await readTinyModelFile('tiny-llama');
  hidden = Float32Array.from({ length: tokens * llama.config.hidden_size }, () => Math.random());
});

/** `hidden` after one block of a model that differs from tiny-llama in `changes`. */
async function block(
  changes: Partial<ModelConfig>,
  tensors: StoredTensor[] = llama.layer(1),
  from = 0,
): Promise<number[]> {
  const config = { ...llama.config, ...changes };
  const width = config.hidden_size;
  const engine = createLocalEngine(nodeRuntime, { config, contextLength: 32 });
  await engine.loadLayer(1, tensors, 'f32');
  const { values } = await engine.run({
    ...{ first: 1, last: 1, sequence: 0, position: 0 },
    input: { kind: 'hidden', tokens: tokens - from, values: hidden.subarray(from * width) },
  });
  await engine.dispose();
  return [...values];
}

function largestDifference(a: number[], b: number[]): number {
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((value, index) => Math.abs(value - b[index])));
}

it('Mistral is Llama within its window', async () => {
  const whole = await block({});
  const wide = await block({ model_type: 'mistral', sliding_window: tokens });
  expect(largestDifference(whole, wide)).toBeLessThan(1e-5);
});

it('Mistral looks back no further than its window', async () => {
  const width = llama.config.hidden_size;
  const windowed = await block({ model_type: 'mistral', sliding_window: 4 });
  // Angles between positions matter, not positions: the last 4 alone give the same.
  const alone = await block({}, llama.layer(1), tokens - 4);
  expect(largestDifference(windowed.slice(-width), alone.slice(-width))).toBeLessThan(1e-4);
  const whole = await block({});
  expect(largestDifference(windowed.slice(-width), whole.slice(-width))).toBeGreaterThan(1e-2);
});

it('Granite is Llama where its factors do nothing', async () => {
  const { head_dim: headDim } = llama.config;
  const neutral = {
    model_type: 'granite',
    residual_multiplier: 1,
    attention_multiplier: headDim ** -0.5,
  };
  expect(largestDifference(await block({}), await block(neutral))).toBeLessThan(1e-5);
  const half = await block({ ...neutral, residual_multiplier: 0.5 });
  expect(largestDifference(await block({}), half)).toBeGreaterThan(1e-2);
});

it('SmolLM3 is Llama in blocks that rotate', async () => {
  const rotating = await block({ model_type: 'smollm3', no_rope_layers: [1, 0] });
  expect(await block({})).toEqual(rotating);
});

it('SmolLM3 sees no order in blocks that do not rotate', async () => {
  const { hidden_size: width } = llama.config;
  const last = (values: number[]): number[] => values.slice(-width);
  const still: Partial<ModelConfig> = { model_type: 'smollm3', no_rope_layers: [0, 1] };
  const [before, rotatedBefore] = [last(await block(still)), last(await block({}))];
  // The first two positions change places.
  const first = hidden.slice(0, width);
  hidden.copyWithin(0, width, 2 * width);
  hidden.set(first, width);
  expect(largestDifference(before, last(await block(still)))).toBeLessThan(1e-4);
  expect(largestDifference(rotatedBefore, last(await block({})))).toBeGreaterThan(1e-3);
});

it('rows stored for rotation of adjacent pairs give the same as rows stored by halves', async () => {
  const { head_dim: headDim } = llama.config;
  const stored = llama.layer(1).map((tensor) => {
    if (!/[qk]_proj/.test(tensor.name)) return tensor;
    const rowBytes = tensor.data.byteLength / tensor.shape[0];
    const data = new Uint8Array(tensor.data.byteLength);
    for (let row = 0; row < tensor.shape[0]; row++) {
      const inHead = row % headDim;
      const pair = inHead % (headDim / 2);
      const side = inHead < headDim / 2 ? 0 : 1;
      const to = row - inHead + 2 * pair + side;
      data.set(tensor.data.subarray(row * rowBytes, (row + 1) * rowBytes), to * rowBytes);
    }
    return { ...tensor, data, interleavedRotary: true };
  });
  expect(await block({}, stored)).toEqual(await block({}));
});

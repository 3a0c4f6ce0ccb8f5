import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ModelConfig } from '../model/config.ts';
import { createAttentionSessions } from './attention-sessions.ts';
import { nodeRuntime, readTinyModelFile } from './fixtures/node-runtime.ts';
import { createBlockLayer, type BlockLayer } from './block-layer.ts';
import { findPrefillChunk, type PrefillCheckOptions } from './prefill-check.ts';
import { randomTensors } from './random-tensors.ts';
import { float32, takeFloats } from './runtime.ts';

const contextLength = 160;
let config: ModelConfig;
let block: BlockLayer;

beforeAll(async () => {
  ({ config } = await readTinyModelFile('tiny-llama'));
  const tensors = randomTensors(config, 'F32');
  const attentions = createAttentionSessions(nodeRuntime, { config, contextLength });
  const runtime = nodeRuntime;
  const options = { runtime, config, contextLength, weights: 'f32', tensors, attentions } as const;
  block = await createBlockLayer({ ...options, block: 0 });
});

afterAll(() => block.dispose());

function check(changes: Partial<PrefillCheckOptions>): Promise<number> {
  const weights = 'f32';
  return findPrefillChunk({
    ...{ runtime: nodeRuntime, config, contextLength, weights, block },
    ...changes,
  });
}

/** The block, with results that are a few per cent wrong if `isWrong` says so. */
function faulty(isWrong: (tokens: number) => boolean): BlockLayer {
  return {
    ...block,
    async run(at, hidden) {
      const values = await takeFloats(await block.run(at, hidden));
      if (isWrong(at.tokens)) values[values.length - 1] += 0.03;
      return float32(nodeRuntime.ort, values, [1, at.tokens, config.hidden_size]);
    },
  };
}

it('takes a size that was measured', async () => {
  expect([8, 16, 24, 32, 64, 128]).toContain(await check({}));
});

it('stays below the size from which results go wrong', async () => {
  expect(await check({ block: faulty((tokens) => tokens >= 16) })).toBe(8);
});

it('goes one by one where nothing else is right', async () => {
  expect(await check({ block: faulty((tokens) => tokens > 1) })).toBe(1);
});

it('takes NaN for what it is', async () => {
  const run: BlockLayer['run'] = async (at, hidden) => {
    const values = await takeFloats(await block.run(at, hidden));
    if (at.tokens > 8) values[0] = NaN;
    return float32(nodeRuntime.ort, values, [1, at.tokens, config.hidden_size]);
  };
  expect(await check({ block: { ...block, run } })).toBe(8);
});

it('does not exceed the context', async () => {
  expect(await check({ contextLength: 7 })).toBe(1);
});

import { expect, it } from 'vitest';
import { nodeRuntime, readTinyModelFile } from './fixtures/node-runtime.ts';
import { createLocalEngine } from './local-engine.ts';

it('measures each kind of layer and tells how far it is', async () => {
  const { config } = await readTinyModelFile('tiny-qwen3');
  const engine = createLocalEngine(nodeRuntime, { config, contextLength: 256 });
  const fractions: number[] = [];
  const profile = await engine.measure('auto', (fraction) => fractions.push(fraction));
  expect(['f32', 'q8']).toContain(profile.weights);
  for (const ms of [profile.embedMs, profile.blockMs, profile.headMs, profile.prefillBlockMs])
    expect(ms).toBeGreaterThan(0);
  expect([8, 16, 24, 32, 64, 128]).toContain(profile.prefillChunk);
  expect(fractions.at(-1)).toBe(1);
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
});

it('foretells the bytes that loaded layers will occupy', async () => {
  const model = await readTinyModelFile('tiny-llama');
  const { config } = model;
  const engine = createLocalEngine(nodeRuntime, { config, contextLength: 64 });
  const profile = await engine.measure('f32');
  const block = await engine.loadLayer(1, model.layer(1), 'f32');
  const head = await engine.loadLayer(6, model.layer(6), 'f32');
  expect(profile.blockBytes).toBe(block.memoryBytes);
  expect(profile.headBytes).toBe(head.memoryBytes);
});

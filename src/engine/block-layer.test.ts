import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAttentionSessions, type AttentionSessions } from './attention-sessions.ts';
import { nodeRuntime, readTinyModelFile } from './fixtures/node-runtime.ts';
import { tinyModels, type TinyModel } from './fixtures/tiny-model.ts';
import { createBlockLayer, type BlockLayer } from './block-layer.ts';
import { float32, takeFloats } from './runtime.ts';
import { createTensorSource } from './tensor-source.ts';

const contextLength = 32;
/** For sums of the same numbers in another order. */
const sameTolerance = 1e-5;

describe.each(tinyModels)('a block of %s', (name) => {
  let model: TinyModel;
  let attentions: AttentionSessions;
  let whole: BlockLayer;
  let cut: BlockLayer;

  beforeAll(async () => {
    model = await readTinyModelFile(name);
    const { config } = model;
    attentions = createAttentionSessions(nodeRuntime, { config, contextLength });
    const load = (wholeBelowBytes: number): Promise<BlockLayer> => {
      const tensors = createTensorSource(model.layer(1), 'model.layers.0.', config);
      const runtime = nodeRuntime;
      const figures = { runtime, config, contextLength, weights: 'f32' } as const;
      return createBlockLayer({ ...figures, tensors, attentions, wholeBelowBytes, block: 0 });
    };
    whole = await load(Infinity);
    cut = await load(0);
  });

  afterAll(async () => {
    await whole.dispose();
    await cut.dispose();
    await attentions.dispose();
  });

  it('cut around its attention computes what it computes whole', async () => {
    const width = model.config.hidden_size;
    const values = Float32Array.from({ length: 12 * width }, () => Math.random());
    for (const [position, tokens] of [
      [0, 5],
      [5, 1],
      [6, 4],
      [3, 2],
    ]) {
      const chunk = values.slice(position * width, (position + tokens) * width);
      const results: Float32Array[] = [];
      // One after the other, because ONNX Runtime does not take two runs at once.
      for (const block of [whole, cut]) {
        const hidden = float32(nodeRuntime.ort, chunk, [1, tokens, width]);
        results.push(await takeFloats(await block.run({ sequence: 1, position, tokens }, hidden)));
      }
      const [a, b] = results;
      const differences = a.map((value, index) => Math.abs(value - b[index]));
      expect(Math.max(...differences)).toBeLessThan(sameTolerance);
    }
  });

  it('cut, takes less memory than both ways', () => {
    expect(cut.memoryBytes).toBeLessThan(0.6 * whole.memoryBytes);
  });
});

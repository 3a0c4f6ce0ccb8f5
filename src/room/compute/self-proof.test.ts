import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, RunResult, StoredTensor, WeightType } from '../../engine/engine.ts';
import { nodeRuntime } from '../../engine/fixtures/node-runtime.ts';
import { tinyModels } from '../../engine/fixtures/tiny-model.ts';
import { createLocalEngine } from '../../engine/local-engine.ts';
import { cutTinyModel, type ShardsOnDisk } from '../fixtures/shards-on-disk.ts';
import { createSelfProof, WrongResult } from './self-proof.ts';

const contextLength = 64;

function engineFor({ manifest }: ShardsOnDisk): Engine {
  return createLocalEngine(nodeRuntime, { config: manifest.config, contextLength });
}

async function proveAll(model: ShardsOnDisk, engine: Engine, weights: WeightType): Promise<void> {
  const { manifest } = model;
  for (const layer of manifest.layers.keys()) {
    await engine.loadLayer(layer, await model.layer(layer), weights);
    await proofOf(model, engine).prove({ layer, weights });
  }
}

function proofOf(model: ShardsOnDisk, engine: Engine): ReturnType<typeof createSelfProof> {
  const { manifest } = model;
  return createSelfProof({ engine, manifest, reader: model, contextLength, prefillChunk: 16 });
}

describe.each(tinyModels)('the golden states of %s', (name) => {
  it.each(['f32', 'q8', 'q4'] as const)('prove every layer with %s', async (weights) => {
    const model = await cutTinyModel(name);
    const engine = engineFor(model);
    await proveAll(model, engine, weights);
    await engine.dispose();
    await model.remove();
  });
});

describe('a layer that computes wrongly', () => {
  let model: ShardsOnDisk;
  let engine: Engine;
  beforeAll(async () => {
    model = await cutTinyModel('tiny-llama');
    engine = engineFor(model);
  });
  afterAll(async () => {
    await engine.dispose();
    await model.remove();
  });

  async function proving(tensors: StoredTensor[], on = engine): Promise<void> {
    await engine.loadLayer(2, tensors, 'f32');
    await proofOf(model, on).prove({ layer: 2, weights: 'f32' });
  }

  /** The engine, with its results changed on their way. */
  function changing(change: (values: Float32Array) => unknown): Engine {
    const changed = <Result extends RunResult>(result: Result): Result => {
      change(result.values);
      return result;
    };
    return {
      ...engine,
      run: async (request) => changed(await engine.run(request)),
      runBatch: async (requests) => (await engine.runBatch(requests)).map(changed),
    };
  }

  it('is found when it holds another block', async () => {
    const other = (await model.layer(1)).map((tensor) => ({
      ...tensor,
      name: tensor.name.replace('layers.0.', 'layers.1.'),
    }));
    await expect(proving(other)).rejects.toThrow(WrongResult);
  });

  it.each([
    ['zeros', (values: Float32Array) => values.fill(0)],
    ['what is not a number', (values: Float32Array) => values.fill(NaN, 3, 4)],
    ['values one part in a hundred too large', (values: Float32Array) => scale(values, 1.01)],
    [
      'one wrong dimension at the last positions',
      (values: Float32Array) => values.fill(values[values.length - 1] + 0.1, -1),
    ],
  ])('is found when it puts out %s', async (_, change) => {
    const tensors = await model.layer(2);
    await expect(proving(tensors, changing(change))).rejects.toThrow(
      /^Block 2 came out wrong with f32 on wasm: off by .*, where 0\.00030 is allowed\.$/,
    );
  });

  it('is found when a single weight is off', async () => {
    const tensors = await model.layer(2);
    const weights = tensors.find(({ name }) => name.endsWith('v_proj.weight'));
    if (!weights) throw new Error('the layer has no values to project');
    new Float32Array(weights.data.buffer)[5] += 0.05;
    await expect(proving(tensors)).rejects.toThrow(WrongResult);
  });

  it('is let be in a model without golden states', async () => {
    const manifest = { ...model.manifest };
    delete manifest.golden;
    const unknown = { ...model, manifest };
    await proofOf(
      unknown,
      changing((values) => values.fill(0)),
    ).prove({ layer: 2, weights: 'f32' });
  });

  it('leaves no sequence behind', async () => {
    await proving(await model.layer(2));
    const input = {
      kind: 'hidden',
      tokens: 1,
      values: new Float32Array(model.manifest.config.hidden_size),
    } as const;
    await expect(
      engine.run({ first: 2, last: 2, sequence: -1, position: 1, input }),
    ).rejects.toThrow(/holds 0 positions/);
  });
});

function scale(values: Float32Array, factor: number): void {
  values.set(values.map((value) => value * factor));
}

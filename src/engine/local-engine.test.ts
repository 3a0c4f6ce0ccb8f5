import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dequantise } from '../model/numbers/dequantise.ts';
import { quantise, type StorableDtype } from '../model/numbers/quantise.ts';
import type { Engine, RunRequest, WeightType } from './engine.ts';
import { nodeRuntime, readTinyModelFile } from './fixtures/node-runtime.ts';
import { tinyModels, type TinyModel } from './fixtures/tiny-model.ts';
import { createLocalEngine } from './local-engine.ts';
import type { Runtime } from './runtime.ts';

/** For float32 against float64 over five blocks, as the project promises. */
const hiddenTolerance = 1e-3;
const logitTolerance = 2e-3;
/** For sums of the same numbers in another order. */
const sameTolerance = 1e-4;

const contextLength = 48;

/** The graphs composed for WebGPU, computed without a GPU. They take quantisation blocks unchanged. */
const webGpuGraphs: Runtime = {
  ...nodeRuntime,
  info: { backend: 'webgpu', adapter: 'none', shaderF16: true },
};

async function loadAll(model: TinyModel): Promise<Engine> {
  const engine = createLocalEngine(nodeRuntime, { config: model.config, contextLength });
  for (let layer = 0; layer <= headOf(model); layer++)
    await engine.loadLayer(layer, model.layer(layer), 'f32');
  return engine;
}

function headOf(model: TinyModel): number {
  return model.config.num_hidden_layers + 1;
}

describe.each(tinyModels)('%s', (name) => {
  let model: TinyModel;
  let engine: Engine;

  beforeAll(async () => {
    model = await readTinyModelFile(name);
    engine = await loadAll(model);
  });

  it('has the hidden state of the reference after every block', async () => {
    const { inputIds, hiddenAfterLayer } = model.reference;
    expect(Object.keys(hiddenAfterLayer)).toHaveLength(headOf(model));
    for (const [layer, expected] of Object.entries(hiddenAfterLayer)) {
      const result = await engine.run(tokens(inputIds, { last: Number(layer) }));
      expect(result.kind).toBe('hidden');
      const last = result.values.slice(-model.config.hidden_size);
      expect(largestDifference(last, expected)).toBeLessThan(hiddenTolerance);
    }
  });

  it('has the logits of the reference', async () => {
    const { inputIds, logits, logitPositions } = model.reference;
    const last = headOf(model);
    const result = await engine.run(tokens(inputIds, { last, logitsOf: inputIds.length }));
    const { vocab_size: vocabulary } = model.config;
    logitPositions.forEach((position, index) => {
      const row = result.values.slice(position * vocabulary, (position + 1) * vocabulary);
      expect(largestDifference(row, logits[index])).toBeLessThan(logitTolerance);
    });
  });

  it('gives sequences that run together what they get alone', async () => {
    const { inputIds } = model.reference;
    const last = headOf(model);
    const lengths = [3, 9, 5, 1];
    const prompts = lengths.map((length, sequence) => ({
      ...tokens(inputIds.slice(0, length), { last }),
      sequence: 10 + sequence,
    }));
    const nexts = lengths.map((position, sequence) => ({
      ...tokens([inputIds[position]], { last, position }),
      sequence: 10 + sequence,
    }));
    await engine.runBatch(prompts);
    const told: string[] = [];
    const running = engine.runBatch(nexts, () => told.push('last layer'));
    const together = await running.finally(() => told.push('done'));
    expect(told).toEqual(['last layer', 'done']);
    for (const [index, request] of nexts.entries()) {
      const alone = await engine.run(request);
      expect(together[index].kind).toBe('logits');
      expect(largestDifference(together[index].values, [...alone.values])).toBeLessThan(
        sameTolerance,
      );
      await engine.releaseSequence(request.sequence);
    }
  });

  it('continues greedily with the ids of the reference', async () => {
    const { inputIds, greedyIds } = model.reference;
    const last = headOf(model);
    const ids: number[] = [];
    let result = await engine.run(tokens(inputIds, { last }));
    while (ids.length < greedyIds.length) {
      ids.push(highest(result.values));
      const position = inputIds.length + ids.length - 1;
      result = await engine.run(tokens(ids.slice(-1), { last, position }));
    }
    expect(ids).toEqual(greedyIds);
  });
});

describe('a sequence', () => {
  let model: TinyModel;
  let engine: Engine;
  let last: number;
  let whole: Float32Array;

  beforeAll(async () => {
    model = await readTinyModelFile('tiny-llama');
    engine = await loadAll(model);
    last = headOf(model) - 1;
    whole = (await engine.run(tokens(model.reference.inputIds, { last }))).values;
  });

  beforeEach(() => engine.releaseSequence(1));

  it.each([1, 5, 8, 23])('comes out the same in chunks of %i positions', async (size) => {
    const ids = model.reference.inputIds;
    const values: number[] = [];
    for (let position = 0; position < ids.length; position += size) {
      const chunk = ids.slice(position, position + size);
      values.push(...(await engine.run(tokens(chunk, { last, position }))).values);
    }
    expect(largestDifference(whole, values)).toBeLessThan(sameTolerance);
  });

  it('is cut back by a run at an earlier position', async () => {
    const ids = model.reference.inputIds;
    await engine.run(tokens([...ids.slice(0, 10), 7, 7, 7, 7], { last }));
    const rest = await engine.run(tokens(ids.slice(10), { last, position: 10 }));
    const expected = whole.subarray(10 * model.config.hidden_size);
    expect(largestDifference(rest.values, [...expected])).toBeLessThan(sameTolerance);
  });

  it('does not disturb another that runs in turns with it', async () => {
    const ids = model.reference.inputIds;
    const other = ids.toReversed();
    const mine: number[] = [];
    for (let position = 0; position < ids.length; position++) {
      const request = tokens(ids.slice(position, position + 1), { last, position });
      const [result] = await Promise.all([
        engine.run(request),
        engine.run({ ...tokens([other[position]], { last, position }), sequence: 2 }),
      ]);
      mine.push(...result.values);
    }
    await engine.releaseSequence(2);
    expect(largestDifference(whole, mine)).toBeLessThan(sameTolerance);
  });

  it('may begin with another one, and both go on by themselves', async () => {
    const ids = model.reference.inputIds;
    await engine.run(tokens(ids, { last }));
    await engine.forkSequence({ first: 0, last }, 1, 2, 10);
    await engine.run(tokens([7, 7, 7, 7], { last, position: 10 }));
    const request = tokens(ids.slice(10), { last, position: 10 });
    const forked = await engine.run({ ...request, sequence: 2 });
    const expected = whole.subarray(10 * model.config.hidden_size);
    expect(largestDifference(forked.values, [...expected])).toBeLessThan(sameTolerance);
    await engine.releaseSequence(2);
    await expect(engine.forkSequence({ first: 1, last: 1 }, 1, 3, 15)).rejects.toThrow(
      'sequence 1 holds 14 positions: 15 of them cannot be forked',
    );
  });

  it('runs in order where it comes twice in a batch', async () => {
    const ids = model.reference.inputIds;
    const requests = ids.map((id, position) => tokens([id], { last, position }));
    const results = await engine.runBatch(requests);
    const values = results.flatMap((result) => [...result.values]);
    expect(largestDifference(whole, values)).toBeLessThan(sameTolerance);
  });

  it('comes out the same over two devices that hand on the hidden state', async () => {
    const second = await loadAll(model);
    const ids = model.reference.inputIds;
    const first = await engine.run(tokens(ids, { last: 2 }));
    const rest = await second.run({
      first: 3,
      last,
      sequence: 1,
      position: 0,
      input: { kind: 'hidden', tokens: ids.length, values: first.values },
    });
    await second.dispose();
    expect(largestDifference(whole, [...rest.values])).toBeLessThan(sameTolerance);
  });

  it('computes again after its layers were dropped and loaded anew', async () => {
    for (let layer = 1; layer <= last; layer++) {
      await engine.unloadLayer(layer);
      await engine.loadLayer(layer, model.layer(layer), 'f32');
    }
    const again = await engine.run(tokens(model.reference.inputIds, { last }));
    expect(largestDifference(whole, [...again.values])).toBe(0);
  });

  it('may not start beyond what its cache holds', async () => {
    await engine.run(tokens([1, 2, 3], { last }));
    await expect(engine.run(tokens([4], { last, position: 4 }))).rejects.toThrow(
      'layer 1 holds 3 positions of sequence 1: a run cannot start at 4',
    );
  });

  it('ends where the context does', async () => {
    await engine.run(tokens(Array<number>(contextLength).fill(1), { last }));
    await expect(engine.run(tokens([1], { last, position: contextLength }))).rejects.toThrow(
      'the context is full: 48 positions and 1 more exceed its 48',
    );
  });

  it('needs every layer of its range', async () => {
    await engine.unloadLayer(3);
    await expect(engine.run(tokens([1], { last }))).rejects.toThrow(
      'layer 3 is not loaded on this device; loaded are: 0, 1, 2, 4, 5, 6',
    );
    await engine.loadLayer(3, model.layer(3), 'f32');
  });

  it('refuses input that does not fit its layers', async () => {
    const values = new Float32Array(95);
    const hidden = { kind: 'hidden', tokens: 1, values } as const;
    const at = { first: 1, last: 1, sequence: 1, position: 0 };
    await expect(engine.run({ ...at, input: hidden })).rejects.toThrow(
      '1 hidden states of 96 are 96 numbers, and 95 came',
    );
    await expect(engine.run({ ...at, first: 0, input: hidden })).rejects.toThrow('takes token ids');
    await expect(engine.run(tokens([512], { last }))).rejects.toThrow(
      'token 512 is outside the vocabulary of 512',
    );
  });
});

describe('smaller weights', () => {
  let model: TinyModel;

  beforeAll(async () => {
    model = await readTinyModelFile('tiny-qwen2');
  });

  /** Logits of the last position, from matrices stored as `dtype`. */
  async function logits(dtype: StorableDtype, weights: WeightType): Promise<Float32Array> {
    const engine = createLocalEngine(webGpuGraphs, { config: model.config, contextLength });
    const last = headOf(model);
    for (let layer = 0; layer <= last; layer++) {
      const stored = model.layer(layer).map((tensor) => {
        if (tensor.shape.length < 2) return tensor;
        const data = quantise(dtype, dequantise(tensor.dtype, tensor.data));
        return { ...tensor, dtype, data };
      });
      await engine.loadLayer(layer, stored, weights);
    }
    const { values } = await engine.run(tokens(model.reference.inputIds, { last }));
    await engine.dispose();
    return values;
  }

  it.each([
    ['F16', 'f16'],
    ['Q8_0', 'q8'],
    ['Q4_0', 'q4'],
  ] as const)('take %s as it is stored: nothing is lost against f32', async (dtype, weights) => {
    const exact = await logits(dtype, 'f32');
    const smaller = await logits(dtype, weights);
    expect(largestDifference(smaller, [...exact])).toBeLessThan(logitTolerance);
  });
});

describe('loading a layer', () => {
  it('names the tensor that is missing, superfluous or of the wrong shape', async () => {
    const model = await readTinyModelFile('tiny-llama');
    const engine = createLocalEngine(nodeRuntime, { config: model.config, contextLength });
    const layer = model.layer(1);
    await expect(engine.loadLayer(1, layer.slice(1), 'f32')).rejects.toThrow(layer[0].name);
    const extra = { ...layer[0], name: 'model.layers.0.self_attn.q_norm.weight' };
    await expect(engine.loadLayer(1, [...layer, extra], 'f32')).rejects.toThrow('q_norm');
    const short = layer.map((tensor) => ({ ...tensor, shape: [3, ...tensor.shape.slice(1)] }));
    await expect(engine.loadLayer(1, short, 'f32')).rejects.toThrow('should be [');
    await expect(engine.loadLayer(7, model.layer(6), 'f32')).rejects.toThrow('there is no layer 7');
  });

  it('names the tensor and the place of a weight that is not a number, and keeps nothing of the layer', async () => {
    const model = await readTinyModelFile('tiny-llama');
    const engine = createLocalEngine(nodeRuntime, { config: model.config, contextLength });
    for (const layer of [0, 3, headOf(model)]) {
      const stored = model.layer(layer);
      const matrix = stored.findIndex(({ shape }) => shape.length === 2);
      const { dtype, data } = stored[matrix];
      const values = dequantise(dtype, data);
      values[77] = NaN;
      stored[matrix] = { ...stored[matrix], dtype: 'F32', data: new Uint8Array(values.buffer) };
      await expect(engine.loadLayer(layer, stored, 'f32')).rejects.toThrow(
        `${stored[matrix].name} holds a number that is not finite, at or after position 77`,
      );
    }
    await expect(engine.run(tokens([1], { last: 0 }))).rejects.toThrow('loaded are: none');
  });

  it('refuses an architecture it does not know, by name', async () => {
    const { config } = await readTinyModelFile('tiny-llama');
    const open = (changes: Partial<typeof config>) => () =>
      createLocalEngine(nodeRuntime, { config: { ...config, ...changes }, contextLength });
    expect(open({ model_type: 'mamba' })).toThrow('the architecture "mamba" is not known here');
    expect(open({ hidden_act: 'gelu' })).toThrow('uses the activation "gelu"');
  });
});

interface Range {
  last: number;
  position?: number;
  logitsOf?: number;
}

function tokens(ids: number[], { last, position = 0, logitsOf }: Range): RunRequest {
  const input = { kind: 'tokens', ids: Int32Array.from(ids) } as const;
  return { first: 0, last, sequence: 1, position, input, ...(logitsOf && { logitsOf }) };
}

function largestDifference(values: Float32Array, expected: number[]): number {
  expect(values.length).toBe(expected.length);
  return Math.max(...expected.map((value, index) => Math.abs(value - values[index])));
}

function highest(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}

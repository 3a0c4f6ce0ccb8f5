/** Every family of models, from a folder in Hugging Face's layout or a GGUF file to logits, against a float64 forward pass. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, RunRequest } from '../engine/engine.ts';
import { nodeRuntime } from '../engine/fixtures/node-runtime.ts';
import { createLocalEngine } from '../engine/local-engine.ts';
import {
  inGguf,
  randomCheckpoint,
  randomIds,
  tinyConfigs,
  type TinyConfig,
} from '../model/fixtures/random-checkpoint.ts';
import { referenceForward, type ReferenceStates } from '../model/fixtures/reference-forward.ts';
import { openRandomModel, randomReference, type RandomFormat } from './fixtures/random-model.ts';

/** float32 against float64 over four blocks; what the project promises. */
const hiddenTolerance = 1e-3;
const logitTolerance = 2e-3;
const promptLength = 24;
const newTokens = 6;

const cases = Object.entries<TinyConfig>(tinyConfigs).flatMap(([name, config]) =>
  (inGguf(config) ? (['hugging face', 'gguf'] as const) : (['hugging face'] as const)).map(
    (format): [string, RandomFormat, TinyConfig] => [name, format, config],
  ),
);

describe.each(cases)('%s as %s', (_, format, config) => {
  const model = randomCheckpoint(config);
  const ids = randomIds(model, promptLength);
  const head = config.num_hidden_layers + 1;
  let engine: Engine;
  let reference: ReferenceStates;

  beforeAll(async () => {
    const { config: read, layer: stored } = await openRandomModel(model, format);
    const contextLength = read.max_position_embeddings;
    engine = createLocalEngine(nodeRuntime, { config: read, contextLength });
    for (let layer = 0; layer <= head; layer++)
      await engine.loadLayer(layer, await stored(layer), 'f32');
    reference = referenceForward(model, ids);
  });

  afterAll(() => engine.dispose());

  it('has the hidden state of the reference at every position after every block', async () => {
    for (const [block, expected] of reference.hidden.entries()) {
      const { values } = await engine.run(tokens(ids, { last: block }));
      expect(largestDifference(values, expected)).toBeLessThan(hiddenTolerance);
    }
  });

  it('has its logits, in one run and token by token', async () => {
    const whole = await engine.run(tokens(ids, { last: head, logitsOf: ids.length }));
    expect(largestDifference(whole.values, reference.logits)).toBeLessThan(logitTolerance);
    await engine.releaseSequence(1);
    for (const [position, id] of ids.entries()) {
      const { values } = await engine.run(tokens([id], { last: head, position }));
      const expected = [reference.logits[position]];
      expect(largestDifference(values, expected)).toBeLessThan(logitTolerance);
    }
  });

  it('continues greedily with its ids', async () => {
    const written = [...ids];
    let result = await engine.run(tokens(ids, { last: head }));
    while (written.length < ids.length + newTokens) {
      const id = result.values.indexOf(Math.max(...result.values));
      result = await engine.run(tokens([id], { last: head, position: written.length }));
      written.push(id);
    }
    const { greedyIds } = randomReference(model, promptLength, newTokens);
    expect(written.slice(promptLength)).toEqual(greedyIds);
  });

  it('gives sequences that run together what they get alone', async () => {
    const lengths = [3, 12, 7];
    const request = (sequence: number, start: number, end: number): RunRequest => ({
      ...tokens(ids.slice(start, end), { last: head, position: start }),
      sequence,
    });
    await engine.runBatch(lengths.map((length, index) => request(10 + index, 0, length)));
    const next = lengths.map((length, index) => request(10 + index, length, length + 1));
    for (const [index, { values }] of (await engine.runBatch(next)).entries()) {
      const expected = [reference.logits[lengths[index]]];
      expect(largestDifference(values, expected)).toBeLessThan(logitTolerance);
    }
  });
});

function tokens(
  ids: number[],
  {
    last,
    position = 0,
    logitsOf = 1,
  }: {
    last: number;
    position?: number;
    logitsOf?: number;
  },
): RunRequest {
  const input = { kind: 'tokens', ids: Int32Array.from(ids) } as const;
  return { first: 0, last, sequence: 1, position, input, logitsOf };
}

function largestDifference(values: Float32Array, expected: Float64Array[]): number {
  const flat = expected.flatMap((layer) => [...layer]);
  expect(values).toHaveLength(flat.length);
  return Math.max(...flat.map((value, index) => Math.abs(value - values[index])));
}

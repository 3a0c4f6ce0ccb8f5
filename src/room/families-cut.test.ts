/** Every family of models, cut into shards: each layer proves itself on golden states, whatever it computes with. */
import { describe, expect, it } from 'vitest';
import type { Engine, WeightType } from '../engine/engine.ts';
import { nodeRuntime } from '../engine/fixtures/node-runtime.ts';
import { createLocalEngine } from '../engine/local-engine.ts';
import {
  inGguf,
  randomCheckpoint,
  randomIds,
  tinyConfigs,
  type TinyConfig,
} from '../model/fixtures/random-checkpoint.ts';
import { goldenFor } from '../model/golden.ts';
import type { Manifest } from '../model/manifest.ts';
import { referenceForward } from '../model/fixtures/reference-forward.ts';
import { createSelfProof, type SelfProof } from './compute/self-proof.ts';
import { openRandomCheckpoint, type RandomFormat } from './fixtures/random-model.ts';
import { cutModel, type ShardsOnDisk } from './fixtures/shards-on-disk.ts';
import { needOf } from './memory/index.ts';

/** float32 against float64; what the project promises. */
const exactTolerance = 2e-3;
const promptLength = 9;

const cases = Object.entries<TinyConfig>(tinyConfigs).map(
  ([name, config]): [string, RandomFormat, TinyConfig] => [
    name,
    inGguf(config) ? 'gguf' : 'hugging face',
    config,
  ],
);

describe.each(cases)('%s, cut from its form as %s', (_, format, config) => {
  const model = randomCheckpoint(config);

  it('proves its layers and has the logits of a float64 forward pass', async () => {
    const shards = await cutModel(await openRandomCheckpoint(model, format), null);
    expect(await proveAll(shards, 'f32')).toBeLessThan(exactTolerance);
    await proveAll(shards, 'q8');
    await shards.remove();
  });

  it('proves its layers where they are stored in fewer bits', async () => {
    const shards = await cutModel(await openRandomCheckpoint(model, format), 'Q8_0');
    await proveAll(shards, 'f32');
    await proveAll(shards, 'q4');
    await shards.remove();
  });

  it('has the parameters that its tensors have', async () => {
    const { manifest } = await openRandomCheckpoint(model, format);
    const stored = [...model.tensors.values()].reduce((sum, { values }) => sum + values.length, 0);
    expect(needOf(manifest.config).parameters).toBe(stored);
  });

  /** Resolves to the largest difference to the reference's logits. */
  async function proveAll(shards: ShardsOnDisk, weights: WeightType): Promise<number> {
    const { manifest } = shards;
    const contextLength = manifest.config.max_position_embeddings;
    const provable = provableLength(manifest);
    const open = (length: number): Engine =>
      createLocalEngine(nodeRuntime, { config: manifest.config, contextLength: length });
    const engine = open(contextLength);
    const proven = provable === contextLength ? engine : open(provable);
    const proof = proverOf(proven, shards, provable);
    for (const layer of manifest.layers.keys()) {
      for (const each of new Set([engine, proven]))
        await each.loadLayer(layer, await shards.layer(layer), weights);
      await proof.prove({ layer, weights });
    }
    const ids = randomIds(model, promptLength);
    const { values } = await engine.run({
      ...{ first: 0, last: manifest.layers.length - 1, sequence: 3, position: 0 },
      input: { kind: 'tokens', ids: Int32Array.from(ids) },
    });
    for (const each of new Set([engine, proven])) await each.dispose();
    const expected = referenceForward(model, ids).logits[promptLength - 1];
    return Math.max(...expected.map((value, index) => Math.abs(value - values[index])));
  }
});

/** The longest context that the recorded states hold for: beyond its first one longrope rotates otherwise. */
function provableLength(manifest: Manifest): number {
  const { golden, config } = manifest;
  expect(golden).toBeDefined();
  const whole = config.max_position_embeddings;
  const recorded = Math.max(...(golden?.inputs ?? []).map((ids) => ids.length));
  return goldenFor(manifest, whole) ? whole : recorded;
}

/** Of a layer that is in the engine, against the model's golden states. */
function proverOf(engine: Engine, shards: ShardsOnDisk, contextLength: number): SelfProof {
  const { manifest } = shards;
  expect(goldenFor(manifest, contextLength)).not.toBeNull();
  return createSelfProof({
    ...{ engine, manifest, reader: shards, contextLength },
    prefillChunk: 16,
  });
}

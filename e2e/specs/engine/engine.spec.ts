/** The engine by itself on wasm, built like the app, against figures computed elsewhere. */
import { tinyModels } from '../../../src/engine/fixtures/tiny-model.ts';
import { tinyConfigs, type TinyFamily } from '../../../src/model/fixtures/random-checkpoint.ts';
import {
  continuations,
  largestLogitDifference,
  longPrompts,
} from '../../fixtures/reference-cases.ts';
import { expect, test } from '../../harness/engine-test.ts';

/** float32 against float64 over five blocks. */
const hiddenTolerance = 1e-3;
const logitTolerance = 2e-3;
/** float32 sums of the same numbers in another order. */
const sameTolerance = 1e-3;

for (const model of tinyModels)
  test(`${model} has its reference's states and logits, with threads`, async ({
    page,
    engineServer,
  }) => {
    await page.goto(engineServer.isolatedPage);
    const deviation = await page.evaluate(async (model) => {
      await enginePage.open({ backend: 'wasm', threads: 2, model, weights: 'f32' });
      return enginePage.deviation();
    }, model);
    expect(deviation.hidden).toHaveLength(6);
    expect(Math.max(...deviation.hidden)).toBeLessThan(hiddenTolerance);
    expect(Math.max(...deviation.logits)).toBeLessThan(logitTolerance);
  });

test('every family has the states and logits of a float64 forward pass', async ({
  page,
  engineServer,
}) => {
  test.setTimeout(300_000);
  await page.goto(engineServer.isolatedPage);
  for (const model of Object.keys(tinyConfigs) as TinyFamily[]) {
    const deviation = await page.evaluate(async (model) => {
      await enginePage.open({ backend: 'wasm', threads: 2, model, weights: 'f32' });
      return enginePage.deviation();
    }, model);
    expect(deviation.hidden).toHaveLength(tinyConfigs[model].num_hidden_layers + 1);
    expect(Math.max(...deviation.hidden), model).toBeLessThan(hiddenTolerance);
    expect(Math.max(...deviation.logits), model).toBeLessThan(logitTolerance);
  }
});

test('a page that may not use threads computes the same with one', async ({
  page,
  engineServer,
}) => {
  await page.goto(engineServer.plainPage);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  const deviation = await page.evaluate(async () => {
    await enginePage.open({ backend: 'wasm', threads: 2, model: 'tiny-llama', weights: 'f32' });
    return enginePage.deviation();
  });
  expect(Math.max(...deviation.logits)).toBeLessThan(logitTolerance);
});

test('stories15M continues every prompt as its reference does', async ({ page, engineServer }) => {
  await page.goto(engineServer.isolatedPage);
  await page.evaluate(() =>
    enginePage.open({ backend: 'wasm', threads: 2, model: 'stories15m', weights: 'f32' }),
  );
  for (const reference of continuations) {
    const { promptIds, greedyIds } = reference;
    const { ids, topLogits } = await page.evaluate(
      ([promptIds, count]) => enginePage.answer(promptIds, count, 16),
      [promptIds, greedyIds.length] as const,
    );
    expect(ids, `ids after "${reference.prompt}"`).toEqual(greedyIds);
    expect(largestLogitDifference(reference, topLogits)).toBeLessThan(sameTolerance);
  }
});

test('stories15M reads long prompts alike in chunks of any size', async ({
  page,
  engineServer,
}) => {
  await page.goto(engineServer.isolatedPage);
  await page.evaluate(() =>
    enginePage.open({ backend: 'wasm', threads: 2, model: 'stories15m', weights: 'f32' }),
  );
  for (const chunk of [7, 24, 32, 256])
    for (const reference of longPrompts) {
      const { promptIds, greedyIds } = reference;
      const { ids, topLogits } = await page.evaluate(
        ([promptIds, count, chunk]) => enginePage.answer(promptIds, count, chunk),
        [promptIds, greedyIds.length, chunk] as const,
      );
      expect(ids, `${promptIds.length} tokens in chunks of ${chunk}`).toEqual(greedyIds);
      expect(largestLogitDifference(reference, topLogits)).toBeLessThan(sameTolerance);
    }
});

test('sequences decoded together continue as each does alone', async ({ page, engineServer }) => {
  await page.goto(engineServer.isolatedPage);
  const { ids } = await page.evaluate(
    async ([prompts, count]) => {
      const opening = { backend: 'wasm', threads: 2, model: 'stories15m', weights: 'f32' } as const;
      await enginePage.open(opening);
      return enginePage.answerTogether(prompts, count);
    },
    [continuations.map(({ promptIds }) => promptIds), 96] as const,
  );
  expect(ids).toEqual(continuations.map(({ greedyIds }) => greedyIds));
});

test('smaller weights take less memory', async ({ page, engineServer }) => {
  await page.goto(engineServer.isolatedPage);
  const blockBytes = await page.evaluate(async () => {
    const bytes: number[] = [];
    for (const weights of ['f32', 'q8', 'q4'] as const) {
      const opening = { backend: 'wasm', threads: 1, model: 'stories15m', weights } as const;
      bytes.push((await enginePage.open(opening)).memoryBytes[1]);
    }
    return bytes;
  });
  const [f32, q8, q4] = blockBytes;
  expect(q8).toBeLessThan(0.3 * f32);
  expect(q4).toBeLessThan(0.2 * f32);
});

test('what goes wrong in the worker arrives as a sentence', async ({ page, engineServer }) => {
  await page.goto(engineServer.isolatedPage);
  await page.evaluate(async () => {
    await enginePage.open({ backend: 'wasm', threads: 1, model: 'tiny-llama', weights: 'f32' });
    await enginePage.unloadLayer(2);
  });
  await expect(page.evaluate(() => enginePage.runLayers(0, 3))).rejects.toThrow(
    'layer 2 is not loaded on this device; loaded are: 0, 1, 3, 4, 5, 6',
  );
});

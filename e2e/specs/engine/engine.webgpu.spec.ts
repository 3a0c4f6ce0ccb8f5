/** The engine by itself on WebGPU (a software adapter), built like the app. */
import { tinyModels } from '../../../src/engine/fixtures/tiny-model.ts';
import { tinyConfigs, type TinyFamily } from '../../../src/model/fixtures/random-checkpoint.ts';
import {
  continuations,
  largestLogitDifference,
  longPrompts,
  type ReferenceCase,
} from '../../fixtures/reference-cases.ts';
import { expect, test, type Page } from '../../harness/engine-test.ts';

/** float32 against float64 over five blocks. */
const hiddenTolerance = 1e-3;
const logitTolerance = 2e-3;
/** float32 sums of the same numbers in another order. */
const sameTolerance = 1e-3;

for (const model of tinyModels)
  test(`${model} has its reference's states and logits`, async ({ page, engineServer }) => {
    await page.goto(engineServer.isolatedPage);
    const deviation = await page.evaluate(async (model) => {
      await enginePage.open({ backend: 'webgpu', threads: 1, model, weights: 'f32' });
      return enginePage.deviation();
    }, model);
    expect(deviation.hidden).toHaveLength(6);
    expect(Math.max(...deviation.hidden)).toBeLessThan(hiddenTolerance);
    expect(Math.max(...deviation.logits)).toBeLessThan(logitTolerance);
  });

test('every family that runs here has the states and logits of a float64 forward pass', async ({
  page,
  engineServer,
}) => {
  test.setTimeout(300_000);
  await page.goto(engineServer.isolatedPage);
  for (const model of Object.keys(tinyConfigs) as TinyFamily[]) {
    const opening = { backend: 'webgpu', threads: 1, model, weights: 'f32' } as const;
    const open = page.evaluate((chosen) => enginePage.open(chosen), opening);
    if (tinyConfigs[model].model_type === 'gemma2') {
      await expect(open).rejects.toThrow('bounds its attention scores');
      continue;
    }
    await open;
    const deviation = await page.evaluate(() => enginePage.deviation());
    expect(deviation.hidden).toHaveLength(tinyConfigs[model].num_hidden_layers + 1);
    expect(Math.max(...deviation.hidden), model).toBeLessThan(hiddenTolerance);
    expect(Math.max(...deviation.logits), model).toBeLessThan(logitTolerance);
  }
});

test('a sliding window is the same as on wasm', async ({ page, engineServer }) => {
  await page.goto(engineServer.isolatedPage);
  const [wasm, webgpu] = await page.evaluate(async () => {
    const changes = { model_type: 'mistral', sliding_window: 5 };
    const opening = { threads: 1, model: 'tiny-llama', weights: 'f32', changes } as const;
    await enginePage.open({ ...opening, backend: 'wasm' });
    const onWasm = await enginePage.hidden();
    await enginePage.open({ ...opening, backend: 'webgpu' });
    return [onWasm, await enginePage.hidden()];
  });
  const differences = wasm.map((value, index) => Math.abs(value - webgpu[index]));
  expect(Math.max(...differences)).toBeLessThan(hiddenTolerance);
});

test('stories15M continues a short and a long prompt as its reference does', async ({
  page,
  engineServer,
}) => {
  test.setTimeout(300_000);
  await page.goto(engineServer.isolatedPage);
  const { prefillChunk } = await page.evaluate(async () => {
    await enginePage.open({ backend: 'webgpu', threads: 1, model: 'stories15m', weights: 'f32' });
    return enginePage.measure('f32');
  });
  await page.evaluate((chunk) => enginePage.prove(chunk), prefillChunk);
  await expectBeginning(page, continuations[0], 8, prefillChunk);
  // Its keys and values outgrow the 64 positions that a sequence begins with; its chunks are as long as
  // this device's own check allows, which on a software adapter is not long.
  const [long] = longPrompts.filter(({ promptIds }) => promptIds.length === 63);
  await expectBeginning(page, long, 4, prefillChunk);
});

test('sequences decoded together come, pause, go, and continue as each does alone', async ({
  page,
  engineServer,
}) => {
  // The first outgrows the 64 positions that a sequence begins with, while the others are at their start.
  const prompts = [60, 15, 30, 15].map((length, sequence) =>
    Array.from({ length }, (_, index) => 3 + ((index * 7 + sequence * 11) % 50)),
  );
  const count = 6;
  await page.goto(engineServer.isolatedPage);
  const { alone, together } = await page.evaluate(
    async ([prompts, count]) => {
      const opening = { threads: 1, model: 'tiny-llama', weights: 'f32' } as const;
      await enginePage.open({ ...opening, backend: 'wasm' });
      const alone: number[][] = [];
      for (const prompt of prompts) alone.push((await enginePage.answer(prompt, count, 16)).ids);
      await enginePage.open({ ...opening, backend: 'webgpu' });
      return {
        alone,
        together: await enginePage.answerTogether(prompts, count, {
          joinEvery: 2,
          chunk: 14,
          isPausing: true,
        }),
      };
    },
    [prompts, count] as const,
  );
  expect(together.ids).toEqual(alone);
  // The first batch of each size is computed both ways, for proof.
  expect(together.isShared.filter((isShared) => !isShared).length).toBeLessThanOrEqual(4);
});

test('a lost GPU is reported, and the next call says why it is refused', async ({
  browser,
  page,
  engineServer,
}) => {
  await page.goto(engineServer.isolatedPage);
  await page.evaluate(() =>
    enginePage.open({ backend: 'webgpu', threads: 1, model: 'tiny-llama', weights: 'f32' }),
  );
  const devTools = await browser.newBrowserCDPSession();
  const lost = page.evaluate(() => enginePage.lost());
  await devTools.send('Browser.crashGpuProcess');
  expect(await lost).toContain('the GPU was lost');
  await expect(page.evaluate(() => enginePage.runLayers(0, 1))).rejects.toThrow('the GPU was lost');
});

/** Half a second a token: a few tell what a wrong kernel would do. */
async function expectBeginning(
  page: Page,
  reference: ReferenceCase,
  count: number,
  chunk: number,
): Promise<void> {
  const { ids, topLogits } = await page.evaluate(
    ([promptIds, count, chunk]) => enginePage.answer(promptIds, count, chunk),
    [reference.promptIds, count, chunk] as const,
  );
  expect(ids).toEqual(reference.greedyIds.slice(0, count));
  expect(largestLogitDifference(reference, topLogits)).toBeLessThan(sameTolerance);
}

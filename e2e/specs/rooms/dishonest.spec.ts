import { continuations } from '../../fixtures/reference-cases.ts';
import { prepareToLie, startLying } from '../../harness/devices/dishonest-device.ts';
import { askerOf, noticesOf, planOf, viewOf } from '../../harness/devices/tab-room.ts';
import { expect, test, type Page } from '../../harness/test.ts';
import { greedy } from '../../../src/room/host/decoding/sampler.ts';

const [reference] = continuations;
const tokens = 12;
const expected = reference.greedyIds.slice(0, tokens);

/** Everything float32 and every device used, so that the ids must be the reference's. */
const exact = { backend: 'wasm', threads: 1, weights: 'f32', wire: 'f32', plan: 'even' } as const;
const ready = { timeout: 60_000 };

test('zeros, NaN and another block’s output are found out, and their device is dropped', async ({
  newDevice,
  serverOrigin,
}) => {
  test.setTimeout(240_000);
  const host = await newDevice();
  await host.goto(serverOrigin);
  await host.evaluate((options) => void edgeshard.openRoom(options), exact);
  await expect.poll(() => planOf(host), ready).toBe('host');
  const { link } = await viewOf(host);

  await test.step('who lies from the start is found by its own proof, and gets no layers', async () => {
    const device = await newDevice();
    await prepareToLie(device);
    await device.goto(link ?? '');
    await startLying(device, 'zeros');
    const sentence = /\(a\) gets no blocks any more: Block \d came out wrong with f32 on wasm/;
    await expect.poll(() => noticesOf(host), ready).toMatch(sentence);
    await expect.poll(() => planOf(host), ready).toBe('host');
    await device.close();
  });

  async function falseAccuser(id: string): Promise<Page> {
    const device = await newDevice();
    await prepareToLie(device);
    await device.goto(link ?? '');
    await expect.poll(() => planOf(host), ready).toBe(`host ${id} host`);
    return device;
  }

  async function expectDropped(device: Page, id: string): Promise<void> {
    const sentence = new RegExp(`\\(${id}\\) was at fault twice and was removed`);
    await expect.poll(() => noticesOf(host), ready).toMatch(sentence);
    await expect(device.getByRole('alert')).toContainText('This device was at fault twice');
    await expect.poll(() => planOf(host), ready).toBe('host');
  }

  await test.step('NaN is caught at the frame, and the very answer goes on without it', async () => {
    const device = await falseAccuser('b');
    await startLying(device, 'nan');
    expect(await ask(host)).toEqual(expected);
    await expectDropped(device, 'b');
  });

  await test.step('zeros are found by computing again, and its own proof betrays it', async () => {
    const device = await falseAccuser('c');
    await startLying(device, 'zeros');
    expect(await ask(host)).not.toEqual(expected);
    await expectDropped(device, 'c');
    expect(await ask(host)).toEqual(expected);
  });

  await test.step('who is honest in proofs alone is found again, and dropped then', async () => {
    const device = await falseAccuser('d');
    await startLying(device, 'other-layer');
    await ask(host);
    await expect.poll(() => noticesOf(host), ready).toContain('(d) has proven its blocks');
    await expect.poll(() => planOf(host), ready).toBe('host d host');
    await ask(host);
    await expectDropped(device, 'd');
    expect(await ask(host)).toEqual(expected);
  });
});

test('a device whose results are wrong with 8 bits goes on with 32, and says so', async ({
  newDevice,
  serverOrigin,
}) => {
  const host = await newDevice();
  await host.goto(serverOrigin);
  await host.evaluate((options) => void edgeshard.openRoom(options), {
    ...exact,
    weights: 'q8' as const,
  });
  await expect.poll(() => planOf(host), ready).toBe('host');
  const device = await newDevice();
  await prepareToLie(device);
  await device.goto((await viewOf(host)).link ?? '');
  await startLying(device, 'q8');
  // It leaves with the engine that failed it, and comes back with another.
  await expect.poll(() => planOf(host), ready).toBe('host b host');
  const sentence =
    /Block \d came out wrong with q8 on wasm: off by [\d.]+, where 0\.20 is allowed\. It computes with f32 on wasm now\./;
  expect(await noticesOf(host)).toMatch(sentence);
  await expect(device.getByRole('log')).toContainText(
    'It starts anew with what is slower and surer.',
  );
  const { devices } = await viewOf(host);
  expect(devices.map(({ compute }) => compute?.weights)).toEqual(['q8', 'f32']);
});

async function ask(host: Page): Promise<number[]> {
  const result = await askerOf(host)({
    prompt: { kind: 'text', text: reference.prompt },
    sampling: greedy,
    maxNewTokens: tokens,
    topLogits: 0,
  });
  return result.ids;
}

/** Rooms of one to four tabs against figures computed elsewhere from the same weights. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../../src/model/manifest.ts';
import { parseManifestText } from '../../../src/model/parse-manifest.ts';
import { storedBytes } from '../../../src/store/layer-pieces.ts';
import { exact, oneThread } from '../../fixtures/exact-room.ts';
import { expectReference, requestFor } from '../../fixtures/expect-reference.ts';
import { continuations, longPrompts } from '../../fixtures/reference-cases.ts';
import { shardsDir } from '../../harness/project.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { openTabRoom, type TabRoom } from '../../harness/devices/tab-room.ts';
import { expect, test } from '../../harness/test.ts';
import { greedy } from '../../../src/room/host/decoding/sampler.ts';
import type { DeviceView } from '../../../src/room/index.ts';

test.describe('a room that grows from one device to four', () => {
  test.describe.configure({ mode: 'serial' });
  let room: TabRoom;
  /** Layers that each device was ever given, since what it once loaded is not loaded again. */
  const everHeld = new Map<string, Set<number>>();

  test.beforeAll(async ({ browser, serverOrigin }) => {
    room = await openTabRoom(browser, {
      origin: serverOrigin,
      prepare: measureOnce,
      devices: 1,
      // What a lap needs is counted, and not what is fetched in case of a loss.
      host: { ...exact, standby: false },
      device: oneThread,
    });
  });
  test.afterAll(() => room.close());

  for (const count of [1, 2, 3, 4]) {
    const tag = count <= 3 ? '@quick' : [];
    test(`${count} of them: the same ids and logits for every prompt`, { tag }, async () => {
      if (count > 1) await room.join();
      await expect(async () => {
        const { plan } = await room.view();
        expect(plan?.status).toBe('running');
        expect(new Set(plan?.stages.map(({ device }) => device)).size).toBe(count);
      }).toPass();
      await expectReference(room, continuations);
    });

    test(`${count} of them: each has loaded its layers and no more`, async () => {
      const { devices, plan } = await room.view();
      for (const { device, first, last } of plan?.stages ?? []) {
        const layers = everHeld.get(device) ?? new Set();
        for (let layer = first; layer <= last; layer++) layers.add(layer);
        everHeld.set(device, layers);
      }
      expect(devices).toHaveLength(count);
      const manifest = await readModelManifest();
      expect(Object.fromEntries(devices.map(({ id, bytesLoaded }) => [id, bytesLoaded]))).toEqual(
        Object.fromEntries(
          devices.map(({ id }) => [id, storedBytes(manifest, everHeld.get(id) ?? [])]),
        ),
      );
    });

    if (count === 2)
      test('2 of them: the same when most of the prompt is cached from the question before', async () => {
        const [shorter, longer] = longPrompts.slice(-2);
        await expectReference(room, [shorter]);
        const { ids, cachedTokens } = await room.ask(requestFor(longer));
        expect(cachedTokens).toBe(shorter.promptIds.length);
        expect(ids).toEqual(longer.greedyIds);
      });

    if (count % 2 === 0) continue;
    for (const chunk of [8, 24, 64, undefined]) {
      const size = chunk === undefined ? 'chunks of the size they measured' : `chunks of ${chunk}`;
      test(`${count} of them: the same of long prompts in ${size}`, async () => {
        await expectReference(room, longPrompts, chunk);
      });
    }
  }
});

test('with weights and wire as they come, two devices go on as float32 does', async ({
  browser,
  serverOrigin,
}) => {
  const room = await openTabRoom(browser, {
    origin: serverOrigin,
    prepare: measureOnce,
    devices: 2,
    host: { backend: 'wasm', plan: 'even' },
    device: { backend: 'wasm' },
  });
  const compared = 30;
  let equal = 0;
  for (const { promptIds, greedyIds } of continuations) {
    const { ids } = await room.ask({
      prompt: { kind: 'ids', ids: promptIds },
      sampling: greedy,
      maxNewTokens: compared,
      topLogits: 0,
    });
    if (ids.join() === greedyIds.slice(0, compared).join()) equal++;
  }
  const { devices } = await room.view();
  await room.close();
  const weights = devices.map(({ compute }: DeviceView) => compute?.weights);
  test.info().annotations.push({ type: 'weights', description: weights.join(', ') });
  expect(equal).toBeGreaterThanOrEqual(5);
});

async function readModelManifest(): Promise<Manifest> {
  return parseManifestText(await readFile(join(shardsDir, 'stories15m/manifest.json'), 'utf8'));
}

/** Models as their authors published them, run by rooms of real tabs: from a hub, an address, a disk, a peer. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exact, oneThread } from '../../fixtures/exact-room.ts';
import {
  expectReference,
  expectTinyReference,
  tinyFolder,
  type TinyModel,
} from '../../fixtures/tiny-models.ts';
import { accessToken, expect, test } from '../../harness/hub-test.ts';
import type { LocalHub } from '../../harness/servers/local-hub.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { askerOf, openTabRoom, viewOf, type TabRoom } from '../../harness/devices/tab-room.ts';
import { randomGguf } from '../../../src/convert/fixtures/random-gguf.ts';
import { randomCheckpoint, tinyConfigs } from '../../../src/model/fixtures/random-checkpoint.ts';
import { randomReference } from '../../../src/room/fixtures/random-model.ts';
import type { ModelChoice } from '../../../src/room/index.ts';

const weights = 'model.safetensors';
/** A file's beginning comes with the question of how long it is, and is asked twice before weights are. */
const headerBytes = 2 * 64 * 1024;

function onHub(name: TinyModel, { origin: hubUrl }: LocalHub): ModelChoice {
  return { kind: 'hub', id: `tiny/${name}`, accessToken: null, hubUrl };
}

async function sizeOf(name: TinyModel): Promise<number> {
  return (await stat(join(tinyFolder(name), weights))).size;
}

/** Waits until so many devices hold layers of the plan that runs. */
async function untilSpread(room: TabRoom, devices: number): Promise<void> {
  await expect(async () => {
    const { plan } = await room.view();
    expect(plan?.status).toBe('running');
    expect(new Set(plan?.stages.map(({ device }) => device)).size).toBe(devices);
  }).toPass();
}

test('tiny-llama by its name on a hub: alone, then three devices that pass it on', async ({
  browser,
  hub,
  appOrigin,
}) => {
  hub.forgetCounts();
  const room = await openTabRoom(browser, {
    origin: appOrigin,
    prepare: measureOnce,
    devices: 1,
    device: oneThread,
    host: { ...exact, model: onHub('tiny-llama', hub) },
  });
  await growFromOneToThree(room, 'tiny-llama', hub);
});

test('tiny-qwen2 behind an access token: alone, then three, which have it from the host', async ({
  browser,
  guardedHub,
  appOrigin,
}) => {
  guardedHub.forgetCounts();
  const { origin: hubUrl } = guardedHub;
  const room = await openTabRoom(browser, {
    origin: appOrigin,
    prepare: measureOnce,
    devices: 1,
    device: oneThread,
    host: { ...exact, model: { kind: 'hub', id: 'tiny/tiny-qwen2', accessToken, hubUrl } },
  });
  await growFromOneToThree(room, 'tiny-qwen2', guardedHub);
});

/** The hub is asked for the weights once; later devices have them from the others. */
async function growFromOneToThree(room: TabRoom, name: TinyModel, hub: LocalHub): Promise<void> {
  await expectTinyReference(room, name);
  const sent = hub.bytesSent.get(weights);
  expect(sent).toBeLessThanOrEqual((await sizeOf(name)) + headerBytes);
  await room.join();
  await room.join();
  await untilSpread(room, 3);
  await expectTinyReference(room, name);
  expect(hub.bytesSent.get(weights), 'bytes that left the hub').toBe(sent);
  await room.close();
}

test('tiny-qwen3 by its address: three devices fetch it once between them, and a fourth gets its layers from them', async ({
  browser,
  hub,
  appOrigin,
}) => {
  hub.forgetCounts();
  const room = await openTabRoom(browser, {
    origin: appOrigin,
    prepare: measureOnce,
    devices: 3,
    device: oneThread,
    host: {
      ...exact,
      // What a lap needs is counted, and not what is fetched from the others in case of a loss.
      standby: false,
      model: { kind: 'url', url: `${hub.origin}/tiny/tiny-qwen3/resolve/main/` },
    },
  });
  await expectTinyReference(room, 'tiny-qwen3');
  const sent = hub.bytesSent.get(weights) ?? 0;
  const size = await sizeOf('tiny-qwen3');
  const { devices } = await room.view();
  const loaded = devices.reduce((sum, { bytesLoaded }) => sum + bytesLoaded, 0);
  expect(loaded).toBeLessThanOrEqual(size);
  // The host looks up one piece of what each of the two others told it: a block's at most.
  const spotChecks = 2 * (size / 5);
  expect(sent).toBeLessThanOrEqual(size + headerBytes + spotChecks);
  await room.join();
  await untilSpread(room, 4);
  await expectTinyReference(room, 'tiny-qwen3');
  expect(hub.bytesSent.get(weights), 'bytes that left the hub').toBe(sent);
  await room.close();
});

test('a device that gives wrong bytes is found out, removed, and the answer is right', async ({
  browser,
  hub,
  appOrigin,
}) => {
  const room = await openTabRoom(browser, {
    origin: appOrigin,
    prepare: measureOnce,
    devices: 2,
    device: oneThread,
    // Nobody fetches ahead: the newcomer is the first to be given those bytes.
    host: { ...exact, model: onHub('tiny-llama', hub), plan: 'even', standby: false },
  });
  // From here on, whatever large this device sends has one bit turned.
  await room.devices[0].evaluate(() => {
    const send = Reflect.get(RTCDataChannel.prototype, 'send');
    RTCDataChannel.prototype.send = function (this: RTCDataChannel, data: unknown) {
      const bytes = ArrayBuffer.isView(data)
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : data instanceof ArrayBuffer
          ? new Uint8Array(data)
          : null;
      if (bytes && bytes.length > 10_000) bytes[bytes.length - 1] ^= 1;
      Reflect.apply(send, this, [data]);
    };
  });
  await room.join();
  await expect(async () => {
    const { notices } = await room.view();
    expect(notices.map(({ text }) => text).join('\n')).toMatch(
      /\(a\) gave bytes that are not the model's, and was removed/,
    );
  }).toPass();
  await untilSpread(room, 2);
  await expectTinyReference(room, 'tiny-llama');
  await room.close();
});

test('files from a disk go from the host to the others', async ({ browser, hub, appOrigin }) => {
  const room = await openTabRoom(browser, {
    origin: appOrigin,
    prepare: measureOnce,
    devices: 1,
    device: oneThread,
    host: { ...exact, model: onHub('tiny-llama', hub) },
  });
  await room.host.evaluate(async (folder) => {
    const files = await Promise.all(
      ['config.json', 'model.safetensors'].map(async (path) => {
        const response = await fetch(folder + path);
        return new File([await response.blob()], path);
      }),
    );
    const model = { kind: 'files', files } as const;
    edgeshard.room?.close();
    edgeshard.openRoom({
      model,
      backend: 'wasm',
      threads: 1,
      weights: 'f32',
      wire: 'f32',
      plan: 'even',
      maxInFlight: 1,
    });
  }, `${hub.origin}/tiny/tiny-llama/resolve/main/`);
  hub.forgetCounts();
  await room.join();
  await untilSpread(room, 2);
  await expectTinyReference(room, 'tiny-llama');
  expect([...hub.bytesSent.keys()]).toEqual([]);
  await room.close();
});

test('families open from GGUF files on a disk, and two devices run each', async ({
  browser,
  appOrigin,
}) => {
  test.setTimeout(300_000);
  for (const family of [
    'smollm 3',
    'olmo 2',
    'granite',
    'phi-4-mini',
    'gemma 3, scaled by head',
  ] as const) {
    const model = randomCheckpoint(tinyConfigs[family]);
    const room = await openTabRoom(browser, {
      origin: appOrigin,
      prepare: measureOnce,
      devices: 1,
      device: oneThread,
      host: exact,
    });
    await room.host.evaluate(
      (base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        edgeshard.room?.close();
        edgeshard.openRoom({
          model: { kind: 'files', files: [new File([bytes], 'tiny.gguf')] },
          backend: 'wasm',
          threads: 1,
          weights: 'f32',
          wire: 'f32',
          plan: 'even',
          maxInFlight: 1,
        });
      },
      Buffer.from(randomGguf(model)).toString('base64'),
    );
    await room.join();
    await untilSpread(room, 2);
    await expectReference(room, randomReference(model, 12, 4), family);
    await room.close();
  }
});

test('a room too small says what is missing before any weights are fetched, and runs once it has more', async ({
  hub,
  appOrigin,
  newDevice,
}) => {
  hub.forgetCounts();
  const page = await newDevice();
  await page.goto(appOrigin);
  await page.waitForFunction(() => 'edgeshard' in globalThis);
  const options = {
    ...exact,
    ...oneThread,
    model: onHub('tiny-llama', hub),
    memoryBudgetBytes: 2e6,
  };
  await page.evaluate((chosen) => void edgeshard.openRoom(chosen), options);
  await expect(async () => {
    expect((await viewOf(page)).waitingFor?.sentence).toMatch(
      /needs .*It lacks \d+ MB: .*With q\d weights it would fit/,
    );
  }).toPass();
  expect(hub.bytesSent.get(weights)).toBeLessThanOrEqual(headerBytes);
  await page.evaluate(() => edgeshard.room?.setMemoryBudget(1e9));
  await page.waitForFunction(() => edgeshard.room?.view.plan?.status === 'running');
});

test('a second visit fetches no weights, except a piece that was damaged meanwhile', async ({
  hub,
  appOrigin,
  newDevice,
}) => {
  const context = (await newDevice()).context();
  /** In a tab of its own, as nobody opened a room there before. Resolves to the bytes of layers fetched. */
  async function visit(): Promise<number> {
    hub.forgetCounts();
    const page = await context.newPage();
    await page.goto(appOrigin);
    await page.waitForFunction(() => 'edgeshard' in globalThis);
    const options = { ...exact, ...oneThread, model: onHub('tiny-qwen3', hub) };
    await page.evaluate((chosen) => void edgeshard.openRoom(chosen), options);
    await page.waitForFunction(() => edgeshard.room?.view.plan?.status === 'running');
    await expectTinyReference({ ask: askerOf(page) }, 'tiny-qwen3');
    const { bytesLoaded } = (await viewOf(page)).devices[0];
    await page.close();
    return bytesLoaded;
  }
  const first = await visit();
  expect(first).toBeGreaterThan((await sizeOf('tiny-qwen3')) * 0.99);
  expect(await visit()).toBe(0);
  expect(hub.bytesSent.get(weights)).toBeLessThanOrEqual(headerBytes);
  const page = await context.newPage();
  await page.goto(appOrigin);
  const damaged = await page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open('edgeshard');
        opening.onerror = () => reject(new Error('no database'));
        opening.onsuccess = () => {
          const pieces = opening.result.transaction('pieces', 'readwrite').objectStore('pieces');
          pieces.openCursor(IDBKeyRange.bound('0', 'g')).onsuccess = ({ target }) => {
            const { result: cursor } = target as IDBRequest<IDBCursorWithValue>;
            const kept = cursor.value as { bytes: Uint8Array };
            kept.bytes[0] ^= 1;
            cursor.update(kept).onsuccess = () => resolve(kept.bytes.length);
          };
        };
      }),
  );
  expect(await visit()).toBe(damaged);
});

test('an address that the app may not go to is named, with what would allow it', async ({
  browser,
  hub,
  serverOrigin,
}) => {
  const url = `${hub.origin}/tiny/tiny-llama/resolve/main/`;
  const opening = openTabRoom(browser, {
    origin: serverOrigin,
    prepare: measureOnce,
    devices: 1,
    host: { ...exact, model: { kind: 'url', url } },
  });
  await expect(opening).rejects.toThrow(`npm start -- --connect ${hub.origin}`);
});

/** Answers that outlive what happens to their room: a newcomer is taken in, the host's page is loaded anew. */
import type { Page } from 'playwright';
import { continuations } from '../../fixtures/reference-cases.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { openTabRoom, viewOf, type TabRoom } from '../../harness/devices/tab-room.ts';
import { expect, test } from '../../harness/test.ts';
import { greedy } from '../../../src/room/host/decoding/sampler.ts';
import type { AskRequest } from '../../../src/room/index.ts';

const [reference] = continuations;
const question: AskRequest = {
  prompt: { kind: 'ids', ids: reference.promptIds },
  sampling: greedy,
  maxNewTokens: 200,
  topLogits: 0,
};

/** Embedding, head and two blocks of the six at the host; all the others, with room to spare, on a device. */
const hostBytes = 98e6;
const deviceBytes = 60e6;

test('an answer outlives a newcomer and a reload of its host', async ({
  browser,
  serverOrigin,
}) => {
  test.setTimeout(240_000);
  const room = await openTabRoom(browser, {
    origin: serverOrigin,
    prepare: measureOnce,
    devices: 2,
    device: { backend: 'wasm', threads: 1, memoryBudgetBytes: deviceBytes },
    host: { weights: 'f32', wire: 'f32', speculation: false, memoryBudgetBytes: hostBytes },
  });
  try {
    await test.step('a newcomer is taken in between two tokens', async () => {
      const undisturbed = await room.ask(question);
      expect(undisturbed.ids.slice(0, reference.greedyIds.length)).toEqual(reference.greedyIds);
      // So slow a link that the newcomer, which has a quick one, is worth the change.
      await room.emulate('a', { delayMs: 100, jitterMs: 0, lossRate: 0 });
      await watchStatuses(room);
      const answering = room.ask(question);
      await untilTokens(room, 4);
      await room.join();
      const { ids, laps } = await answering;
      expect(ids).toEqual(undisturbed.ids);
      expect(laps[1].lapMs).toBeGreaterThan(200);
      expect(Math.min(...laps.slice(-5).map(({ lapMs }) => lapMs))).toBeLessThan(200);
      expect(await statusesSeen(room)).not.toContain('paused');
      const { plan } = await room.view();
      expect(new Set(plan?.stages.map(({ device }) => device))).toEqual(new Set(['host', 'b']));
    });

    await test.step('the host loads its page anew, and the answer ends as if nothing were', async () => {
      await room.emulate('b', { delayMs: 40, jitterMs: 0, lossRate: 0 });
      // Its page goes before it can tell how the answer ended.
      room.ask(question).catch(() => undefined);
      await untilTokens(room, 20);
      const before = (await room.view()).answers.at(-1)?.text ?? '';
      await room.host.reload();
      await room.host.waitForFunction(
        () => edgeshard.room?.view.answers.at(-1)?.status.kind === 'done',
      );
      const { answers } = await viewOf(room.host);
      const [, first, second] = answers;
      expect(answers).toHaveLength(3);
      expect(second.text.startsWith(before)).toBe(true);
      expect(second.text).toBe(first.text);
      expect(second.newTokens).toBe(first.newTokens);
    });
  } finally {
    await room.close();
  }
});

test('a room that is closed while it comes back after a reload does not come back again', async ({
  newDevice,
  serverOrigin,
}) => {
  const host = await newDevice();
  await host.goto(serverOrigin);
  await host.evaluate(() => void edgeshard.openRoom({ backend: 'wasm', threads: 1 }));
  await expect(host.getByRole('textbox', { name: 'Room link' })).toBeVisible();
  await expect.poll(() => keptRooms(host)).toBe(1);

  // Never answered, so that the room stays on its way.
  await host.route('**/manifest.json', () => undefined);
  await host.reload();
  await host.getByRole('button', { name: 'Cancel' }).click();
  await expect.poll(() => keptRooms(host)).toBe(0);
  await host.unroute('**/manifest.json');
  await host.reload();
  await expect(host.getByRole('button', { name: 'Open a room' })).toBeEnabled();
});

/** How many rooms this browser could open again. */
function keptRooms(page: Page): Promise<number> {
  return page.evaluate(async () => {
    // Opened before the room has made it, it would lack its store.
    const made = await indexedDB.databases();
    if (!made.some(({ name }) => name === 'edgeshard-rooms')) return 0;
    return new Promise<number>((resolve, reject) => {
      const opening = indexedDB.open('edgeshard-rooms');
      opening.onerror = () => reject(new Error('IndexedDB does not open'));
      opening.onsuccess = () => {
        const { result: database } = opening;
        const counting = database.transaction('rooms').objectStore('rooms').count();
        counting.onsuccess = () => {
          database.close();
          resolve(counting.result);
        };
      };
    });
  });
}

async function untilTokens({ host }: TabRoom, count: number): Promise<void> {
  await host.waitForFunction(
    (enough) => (edgeshard.room?.view.answers.at(-1)?.newTokens ?? 0) >= enough,
    count,
    { polling: 10 },
  );
}

/** From now on: of the last answer. */
async function watchStatuses({ host }: TabRoom): Promise<void> {
  await host.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { seen });
    edgeshard.room?.subscribe(({ answers }) => {
      const status = answers.at(-1)?.status;
      if (status) seen.push(status.kind);
    });
  });
}

function statusesSeen({ host }: TabRoom): Promise<unknown> {
  return host.evaluate(() => [...new Set(Reflect.get(globalThis, 'seen') as string[])]);
}

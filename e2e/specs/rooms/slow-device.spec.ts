/** A device that becomes slow under way loses its layers, and gets them back when it is fast again. */
import type { Page } from 'playwright';
import { oneThread } from '../../fixtures/exact-room.ts';
import { requestFor } from '../../fixtures/expect-reference.ts';
import { continuations } from '../../fixtures/reference-cases.ts';
import { openTabRoom, type TabRoom } from '../../harness/devices/tab-room.ts';
import { expect, test } from '../../harness/test.ts';

const [reference] = continuations;
const moved = { timeout: 60_000 };

test('layers leave a device that became slow, and come back with its speed', async ({
  browser,
  serverOrigin,
}) => {
  test.setTimeout(240_000);
  const room = await openTabRoom(browser, {
    origin: serverOrigin,
    devices: 3,
    // The host has no room for the blocks, and the way to the second device is long: the first is to have them.
    host: { weights: 'f32', wire: 'f32', memoryBudgetBytes: 80e6, maxInFlight: 1 },
    device: oneThread,
  });
  await room.host.evaluate(async () => {
    const { room: own } = edgeshard;
    if (!own || !('emulate' in own)) throw new Error('this tab hosts no room');
    await own.emulate('b', { delayMs: 20, jitterMs: 0, lossRate: 0 });
    await own.settled();
  });
  await expect.poll(() => holders(room), moved).toBe('host a host');
  await room.ask({ ...requestFor(reference), maxNewTokens: 16 });

  await slowDown(room.devices[0], 75);
  const { ids } = await room.ask(requestFor(reference));
  expect(ids).toEqual(reference.greedyIds);
  await expect.poll(() => holders(room), moved).toBe('host b host');
  const log = room.host.getByRole('log');
  await expect(log).toContainText(/\(a\) is [\d.]+ times slower than before/);

  await slowDown(room.devices[0], 0);
  await comeToFront(room.devices[0]);
  await expect.poll(() => holders(room), moved).toBe('host a host');
  const again = await room.ask({ ...requestFor(reference), maxNewTokens: 16 });
  expect(again.ids).toEqual(reference.greedyIds.slice(0, 16));
  await room.close();
});

/** Who holds layers, in the order of the lap, once a plan runs. */
async function holders(room: TabRoom): Promise<string | undefined> {
  const { plan } = await room.view();
  return plan?.stages.map(({ device }) => device).join(' ');
}

/**
 * Has the tab's engine lose so many ms at each look on the clock, of which it takes one before and one after
 * it computes: it is slow, and measures that it is.
 */
async function slowDown(page: Page, ms: number): Promise<void> {
  for (const worker of page.workers())
    await worker.evaluate((lostMs) => {
      const now = Performance.prototype.now.bind(performance);
      performance.now = () => {
        const end = now() + lostMs;
        while (now() < end);
        return now();
      };
    }, ms);
}

/** As a browser says it when a person turns to the tab. */
async function comeToFront(page: Page): Promise<void> {
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
}

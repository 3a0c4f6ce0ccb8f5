/** What a link makes of connections that break, and of devices that leave, die or freeze. */
import type { Browser } from 'playwright/test';
import { connect, endingOf, expectSteps, key } from '../../harness/devices/transport-devices.ts';
import { expect, test, type Page } from '../../harness/transport-test.ts';

test.describe('a broken connection', () => {
  for (const who of ['host', 'guest'] as const)
    test(`is made anew, whatever was under way, when the ${who}’s is dropped`, async ({
      linkedPair,
    }) => {
      const { host, guest } = linkedPair;
      await host.page.evaluate(() => device.keepFrames());
      const sending = guest.page.evaluate(() => device.sendSteadily(10, 3000));
      await new Promise((resolve) => setTimeout(resolve, 500));
      await linkedPair[who].page.evaluate(() => device.dropConnections());
      const count = await sending;
      await expectSteps(host, count);
      const { resumedAfterMs } = await guest.page.evaluate(() => device.events());
      const gapMs = await host.page.evaluate(() => device.longestGapMs());
      console.log(`connection dropped at the ${who}: longest gap between frames ${gapMs} ms`);
      expect(resumedAfterMs).toHaveLength(1);
    });

  test('finds a new path when the old one goes silent', async ({ pathPair }) => {
    const { host, guest, path } = pathPair;
    await host.page.evaluate(() => device.keepFrames());
    const sending = guest.page.evaluate(() => device.sendSteadily(10, 5000));
    await new Promise((resolve) => setTimeout(resolve, 500));
    path.cut();
    const count = await sending;
    await expectSteps(host, count);
    const [one, other] = await Promise.all(
      [host, guest].map(({ page }) => page.evaluate(() => device.events())),
    );
    const gapMs = await host.page.evaluate(() => device.longestGapMs());
    console.log(
      `path cut: resumed after ${one.resumedAfterMs[0]} and ${other.resumedAfterMs[0]} ms, longest gap ${gapMs} ms`,
    );
    expect(one.interruptions).toBeGreaterThan(0);
    expect(await guest.page.evaluate(() => device.ping())).toBeGreaterThan(0);
  });
});

test.describe('leaving is noticed', () => {
  test('at once when it is announced', async ({ linkedPair }) => {
    const { host, guest } = linkedPair;
    const at = await guest.page.evaluate(() => device.close('it had enough'));
    const ending = await endingOf(host);
    console.log(`announced leave noticed after ${ending.at - at} ms`);
    expect(ending).toMatchObject({ cause: 'left', reason: expect.stringContaining('had enough') });
    expect(ending.at - at).toBeLessThan(1000);
  });

  for (const [how, leave] of [
    ['closed', (page: Page) => page.close()],
    ['reloaded', (page: Page) => page.reload()],
  ] as const)
    test(`at once when a page is ${how}`, async ({ linkedPair }) => {
      const { host, guest } = linkedPair;
      const at = Date.now();
      await leave(guest.page);
      const ending = await endingOf(host);
      console.log(`${how} page noticed after ${ending.at - at} ms: ${ending.reason}`);
      expect(ending.cause).toBe('left');
      expect(ending.at - at).toBeLessThan(2000);
    });

  test('within the deadline when a browser is killed', async ({ doomedPair, doomedBrowser }) => {
    const options = { key, silenceMs: 2000 };
    await connect(doomedPair, options, options);
    const ids = await processIdsOf(doomedBrowser);
    const at = Date.now();
    for (const id of ids) process.kill(id, 'SIGKILL');
    const ending = await endingOf(doomedPair.host);
    console.log(
      `killed browser noticed after ${ending.at - at} ms (deadline 2000): ${ending.reason}`,
    );
    expect(['silent', 'lost']).toContain(ending.cause);
    expect(ending.at - at).toBeLessThan(4000);
  });

  test('within the deadline when a browser freezes', async ({ doomedPair, doomedBrowser }) => {
    await connect(doomedPair, { key, silenceMs: 2000 });
    const thaw = await freeze(doomedBrowser);
    const at = Date.now();
    const ending = await endingOf(doomedPair.host);
    thaw();
    console.log(`frozen browser noticed after ${ending.at - at} ms (deadline 2000)`);
    expect(ending.cause).toBe('silent');
    expect(ending.at - at).toBeLessThan(4000);
  });

  test('and not by a browser that froze itself for a while', async ({
    doomedPair,
    doomedBrowser,
  }) => {
    const { host, guest } = doomedPair;
    await connect(doomedPair, { key, silenceMs: 20_000 }, { key, silenceMs: 1000 });
    const thaw = await freeze(doomedBrowser);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    thaw();
    // Longer than the deadline that it would have applied to the host.
    for (let count = 0; count < 5; count++) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(await guest.page.evaluate(() => device.ending())).toBeNull();
    }
    // One ping has two seconds; a browser that was frozen may need more until its packets flow again. Over a link that
    // has ended no ping succeeds.
    await expect(async () => {
      expect(await host.page.evaluate(() => device.ping())).toBeGreaterThan(0);
    }).toPass({ timeout: 20_000 });
  });
});

/** Stops a browser's processes; returns what lets them go on. */
async function freeze(browser: Browser): Promise<() => void> {
  const ids = await processIdsOf(browser);
  for (const id of ids) process.kill(id, 'SIGSTOP');
  return () => {
    for (const id of ids) process.kill(id, 'SIGCONT');
  };
}

async function processIdsOf(browser: Browser): Promise<number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.map(({ id }) => id);
}

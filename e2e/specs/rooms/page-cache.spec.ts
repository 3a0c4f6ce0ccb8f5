/** Pages that the browser puts aside and shows again: the back/forward cache, freezing, and links that leave nothing. */
import { chromium, type Browser, type Page } from 'playwright';
import { chromiumFlags } from '../../harness/chromium-flags.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { expect, test } from '../../harness/test.ts';

/** Of the tests' server, and nothing of the app. */
const elsewhere = '/certificate';

let browser: Browser;
test.beforeAll(async () => {
  const executablePath = process.env['EDGESHARD_CHROMIUM'];
  browser = await chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    args: chromiumFlags({ webgpu: false }),
    // Without it pages that are left are kept, as in a browser that a person uses.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
});
test.afterAll(() => browser.close());

async function newPage(origin: string): Promise<Page> {
  const context = await browser.newContext();
  await measureOnce(context);
  const page = await context.newPage();
  // Outlives a page that is kept, and not one that is loaded.
  await page.addInitScript(() => {
    const shown: boolean[] = [];
    Object.assign(globalThis, { shown });
    addEventListener('pageshow', ({ persisted }) => {
      shown.push(persisted);
      if (persisted) sessionStorage.setItem('came back', 'from the page cache');
    });
  });
  await page.goto(origin);
  await page.waitForFunction(() => 'edgeshard' in globalThis);
  return page;
}

async function openRoom(origin: string): Promise<{ host: Page; link: string }> {
  const host = await newPage(origin);
  await host.evaluate(() => void edgeshard.openRoom({ backend: 'wasm', threads: 1 }));
  const field = host.getByRole('textbox', { name: 'Room link' });
  await expect(field).toBeVisible();
  return { host, link: await field.inputValue() };
}

/** By a link of the page's own, as a person leaves it, and by the button Back. */
async function leaveAndComeBack(page: Page): Promise<void> {
  await page.evaluate((address) => location.assign(address), elsewhere);
  await page.waitForURL(`**${elsewhere}`);
  await page.goBack({ waitUntil: 'commit' });
}

const cameBack = (page: Page): Promise<string | null> =>
  page.evaluate(() => sessionStorage.getItem('came back'));

test('a host that comes back from the page cache opens its room again under its name', async ({
  serverOrigin,
}) => {
  const { host, link } = await openRoom(serverOrigin);
  // Chromium keeps no page that still fetches, such as weights.
  await host.waitForFunction(() => edgeshard.room?.view.plan?.status === 'running');
  await leaveAndComeBack(host);
  const field = host.getByRole('textbox', { name: 'Room link' });
  await expect(field).toHaveValue(link);
  expect(await cameBack(host)).toBe('from the page cache');
});

test('a guest that comes back joins again, and its name was free meanwhile', async ({
  serverOrigin,
}) => {
  const { host, link } = await openRoom(serverOrigin);
  const guest = await newPage(serverOrigin);
  await guest.goto(link);
  const devices = (): Promise<number> =>
    host.evaluate(() => edgeshard.room?.view.devices.length ?? 0);
  await expect.poll(devices, { timeout: 60_000 }).toBe(2);
  await guest.evaluate((address) => location.assign(address), elsewhere);
  await expect.poll(devices, { timeout: 60_000 }).toBe(1);
  await guest.goBack({ waitUntil: 'commit' });
  await expect.poll(devices, { timeout: 60_000 }).toBe(2);
});

test('a page that was put aside without being told goes on', async ({ serverOrigin }) => {
  const { host, link } = await openRoom(serverOrigin);
  const session = await host.context().newCDPSession(host);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  const guest = await newPage(serverOrigin);
  await guest.goto(link);
  await expect
    .poll(() => host.evaluate(() => edgeshard.room?.view.devices.length ?? 0), { timeout: 60_000 })
    .toBe(2);
});

test('a download and a mail address leave the room as it is', async ({ serverOrigin }) => {
  const { host, link } = await openRoom(serverOrigin);
  await host.evaluate(() => {
    Object.assign(globalThis, { isSamePage: true });
    for (const [href, name] of [
      ['data:text/plain,hello', 'hello.txt'],
      ['mailto:somebody@example.org', null],
    ] as const) {
      const anchor = document.createElement('a');
      anchor.href = href;
      if (name !== null) anchor.download = name;
      document.body.append(anchor);
      anchor.click();
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await expect(host.getByRole('textbox', { name: 'Room link' })).toHaveValue(link);
  expect(await host.evaluate(() => 'isSamePage' in globalThis)).toBe(true);
});

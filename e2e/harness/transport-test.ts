/** `test` with devices of the transport's own page, on browsers and network paths that a test may spoil. */
import {
  test as base,
  expect,
  type Browser,
  type LaunchOptions,
  type Page,
  type PlaywrightWorkerArgs,
} from 'playwright/test';
import { createNetworkPath, type NetworkPath } from './servers/network-path.ts';
import { startSocketlessServer, type SocketlessServer } from './servers/socketless-server.ts';
import { connect, type Pair, type TestDevice } from './devices/transport-devices.ts';
import { startTransportServer, type TransportServer } from './servers/transport-server.ts';
import { workerServer } from './servers/worker-server.ts';

export { expect, type Page };

interface TransportFixtures {
  /** A page registered as a device, at the server and under a name of its own unless told otherwise. */
  newDevice: (browser: Browser, at?: { origin?: string; id?: string }) => Promise<TestDevice>;
  /** A host in one browser and a device in the other. */
  pair: Pair;
  /** The same, linked. */
  linkedPair: Pair;
  /** Two linked devices whose packets go by a path that the test can make worse. */
  pathPair: Pair & { path: NetworkPath };
  /** A third browser, to be killed or frozen. */
  doomedBrowser: Browser;
  /** A host that stays, and a device in the third browser. */
  doomedPair: Pair;
  /** The server, for browsers that get no socket to it. */
  socketlessServer: SocketlessServer;
}

interface TransportWorkerFixtures {
  transportServer: TransportServer;
  /** Two browser processes: what a device sends really leaves one and enters the other. */
  browsers: Browser[];
  /** Two more, which say their addresses as they are and not as names that only browsers resolve. */
  openBrowsers: Browser[];
}

let nextId = 0;

export const test = base.extend<TransportFixtures, TransportWorkerFixtures>({
  transportServer: workerServer(startTransportServer),
  browsers: [
    async ({ playwright, launchOptions }, use) => {
      const browsers = await launchTwo(playwright, launchOptions);
      await use(browsers);
      await closeAll(browsers);
    },
    { scope: 'worker' },
  ],
  openBrowsers: [
    async ({ playwright, launchOptions }, use) => {
      const args = [...(launchOptions.args ?? []), '--disable-features=WebRtcHideLocalIpsWithMdns'];
      const browsers = await launchTwo(playwright, { ...launchOptions, args });
      await use(browsers);
      await closeAll(browsers);
    },
    { scope: 'worker' },
  ],
  newDevice: async ({ transportServer }, use) => {
    const pages: Page[] = [];
    await use(
      async (browser, { origin = transportServer.origin, id = `device${nextId++}` } = {}) => {
        const page = await browser.newPage();
        pages.push(page);
        await page.goto(origin);
        const fingerprint = await page.evaluate((name) => device.register(name), id);
        return { page, id, fingerprint };
      },
    );
    await closeAll(pages);
  },
  pair: async ({ browsers, newDevice }, use) => {
    const [host, guest] = await Promise.all(browsers.map((browser) => newDevice(browser)));
    await use({ host, guest });
  },
  linkedPair: async ({ pair }, use) => {
    await link(pair);
    await use(pair);
  },
  pathPair: async ({ openBrowsers, newDevice }, use) => {
    const path = createNetworkPath();
    const [host, guest] = await Promise.all(openBrowsers.map((browser) => newDevice(browser)));
    await guest.page.exposeFunction('throughPath', (address: string, port: number) =>
      path.through(address, port),
    );
    await guest.page.evaluate(() => device.useNetworkPath('through'));
    await host.page.evaluate(() => device.useNetworkPath('answered'));
    await link({ host, guest });
    await use({ host, guest, path });
    path.close();
  },
  doomedBrowser: async ({ playwright, launchOptions }, use) => {
    const browser = await playwright.chromium.launch(launchOptions);
    await use(browser);
    await browser.close();
  },
  doomedPair: async ({ browsers, doomedBrowser, newDevice }, use) => {
    const host = await newDevice(browsers[0]);
    await use({ host, guest: await newDevice(doomedBrowser) });
  },
  socketlessServer: async ({ transportServer }, use) => {
    const server = await startSocketlessServer(transportServer.origin);
    await use(server);
    server.close();
  },
});

async function link(pair: Pair): Promise<void> {
  const { dialled } = await connect(pair);
  expect(dialled).toEqual({ fingerprint: pair.host.fingerprint });
}

function launchTwo(
  { chromium }: PlaywrightWorkerArgs['playwright'],
  options: LaunchOptions,
): Promise<Browser[]> {
  return Promise.all([chromium.launch(options), chromium.launch(options)]);
}

async function closeAll(opened: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(opened.map((each) => each.close()));
}

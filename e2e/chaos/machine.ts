/** One machine of the run: a browser of its own, its own way to the server, and the page that is open in it. */
import {
  chromium,
  type Browser,
  type BrowserContext,
  type CDPSession,
  type Page,
} from 'playwright';
import { chromiumFlags } from '../harness/chromium-flags.ts';
import { openServerProxy, type ServerProxy } from './server-proxy.ts';
import type { Logbook } from './logbook.ts';
import type { ChaosNetwork } from './network.ts';

export interface Machine {
  readonly number: number;
  readonly serverProxy: ServerProxy;
  /** Null while no page is open. */
  readonly page: Page | null;
  /** Opens a page of the app, in the browser that is there or a new one; what was kept here before is still there. */
  open(): Promise<Page>;
  /** Processes of its browser, by type. */
  processes(): Promise<{ id: number; type: string }[]>;
  /** The page, or the whole browser, is gone. */
  forget(what: 'page' | 'browser'): void;
  close(): Promise<void>;
}

export interface MachineOptions {
  number: number;
  /** The app's address; every machine reaches it through a proxy of its own. */
  origin: string;
  executablePath: string;
  webgpu: boolean;
  network: ChaosNetwork;
  logbook: Logbook;
}

export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { number, origin, network, logbook } = options;
  const serverPort = Number(new URL(origin).port);
  const serverProxy = await openServerProxy(serverPort);
  let browser: Browser | null = null;
  let context: BrowserContext | null = null;
  let session: CDPSession | null = null;
  let page: Page | null = null;

  async function launch(): Promise<BrowserContext> {
    browser = await chromium.launch({
      executablePath: options.executablePath,
      args: [
        ...chromiumFlags({ webgpu: options.webgpu }),
        `--host-resolver-rules=MAP localhost:${serverPort} 127.0.0.1:${serverProxy.port}`,
        // The network finds machines by their addresses; a name that only browsers resolve hides them.
        '--disable-features=WebRtcHideLocalIpsWithMdns',
      ],
    });
    session = await browser.newBrowserCDPSession();
    const fresh = await browser.newContext();
    // The compiler marks functions with a helper of this name, which pages lack.
    await fresh.addInitScript({ content: 'globalThis.__name = (named) => named;' });
    await network.connect(fresh, number);
    await logbook.watch(fresh, number);
    return fresh;
  }

  return {
    number,
    serverProxy,
    get page() {
      return page;
    },
    async open() {
      context ??= await launch();
      const opened = await context.newPage();
      await opened.goto(origin);
      await opened.waitForFunction(() => 'edgeshard' in globalThis);
      page = opened;
      return opened;
    },
    async processes() {
      if (!session) return [];
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      return processInfo.map(({ id, type }) => ({ id, type }));
    },
    forget(what) {
      page = null;
      if (what === 'browser') browser = context = session = null;
    },
    async close() {
      serverProxy.close();
      await browser?.close();
    },
  };
}

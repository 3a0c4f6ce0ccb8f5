/** A place at the table: a browser of its own, its way to the server, and the page that sits there. */
import {
  chromium,
  type Browser,
  type BrowserContext,
  type CDPSession,
  type Page,
} from 'playwright';
import { chromiumFlags } from '../harness/chromium-flags.ts';
import { openGate, type Gate } from './gate.ts';
import type { Logbook } from './logbook.ts';
import type { Ways } from './network.ts';

export interface Seat {
  readonly number: number;
  readonly gate: Gate;
  /** Null while nobody sits here. */
  readonly page: Page | null;
  /** Opens a page of the app, in the browser that is there or a new one; what was kept here before is still there. */
  open(): Promise<Page>;
  /** Processes of its browser, by type. */
  processes(): Promise<{ id: number; type: string }[]>;
  /** The page, or all of the browser, is gone. */
  vacate(what: 'page' | 'browser'): void;
  close(): Promise<void>;
}

export interface SeatOptions {
  number: number;
  /** The app's address; every seat reaches it by a gate of its own. */
  origin: string;
  executablePath: string;
  webgpu: boolean;
  ways: Ways;
  logbook: Logbook;
}

export async function takeSeat(options: SeatOptions): Promise<Seat> {
  const { number, origin, ways, logbook } = options;
  const serverPort = Number(new URL(origin).port);
  const gate = await openGate(serverPort);
  let browser: Browser | null = null;
  let context: BrowserContext | null = null;
  let session: CDPSession | null = null;
  let page: Page | null = null;

  async function launch(): Promise<BrowserContext> {
    browser = await chromium.launch({
      executablePath: options.executablePath,
      args: [
        ...chromiumFlags({ webgpu: options.webgpu }),
        `--host-resolver-rules=MAP localhost:${serverPort} 127.0.0.1:${gate.port}`,
        // Ways are found by addresses; a name that only browsers resolve hides them.
        '--disable-features=WebRtcHideLocalIpsWithMdns',
      ],
    });
    session = await browser.newBrowserCDPSession();
    const fresh = await browser.newContext();
    // The compiler marks functions with a helper of this name, which pages lack.
    await fresh.addInitScript({ content: 'globalThis.__name = (named) => named;' });
    await ways.lead(fresh, number);
    await logbook.watch(fresh, number);
    return fresh;
  }

  return {
    number,
    gate,
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
    vacate(what) {
      page = null;
      if (what === 'browser') browser = context = session = null;
    },
    async close() {
      gate.close();
      await browser?.close();
    },
  };
}

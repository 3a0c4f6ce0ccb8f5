/** `test` with what a room needs: the server's origins, and as many separate devices as a test wants. */
import {
  test as base,
  expect,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright/test';
import { measureOnce } from './devices/measure-once.ts';
import { originVariables } from './global-setup.ts';

export { expect, type Page };

interface RoomFixtures {
  /** Whether every device of `newDevice` measures itself, or only the first with its model and backend. */
  measuring: 'once' | 'each';
  /** `http://localhost:…`, a secure context. */
  serverOrigin: string;
  /** The same server over HTTPS with its self-made certificate, as a phone meets it. */
  secureOrigin: string;
  /**
   * A page in a browser context of its own: storage, cache and identity shared with no other device. A
   * script error or a breach of the page's Content-Security-Policy on any device fails the test.
   */
  newDevice: (options?: BrowserContextOptions) => Promise<Page>;
}

export const test = base.extend<RoomFixtures>({
  serverOrigin: [process.env[originVariables.http] ?? '', { option: true }],
  secureOrigin: [process.env[originVariables.https] ?? '', { option: true }],
  measuring: ['once', { option: true }],
  newDevice: async ({ browser, measuring }, use) => {
    const contexts: BrowserContext[] = [];
    const problems: string[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
      const device = contexts.push(context);
      if (measuring === 'once') await measureOnce(context);
      const page = await context.newPage();
      page.on('pageerror', (error) => problems.push(`device ${device}: ${error.stack ?? ''}`));
      page.on('console', (message) => {
        if (message.text().includes('Content Security Policy'))
          problems.push(`device ${device}: ${message.text()}`);
      });
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
    expect(problems, 'script errors and policy breaches on the devices').toEqual([]);
  },
});

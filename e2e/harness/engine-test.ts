/** `test` with the engine's own page, in which `enginePage` is what `engine-page.ts` offers. */
import { test as base } from 'playwright/test';
import { startEngineServer, type EngineServer } from './engine-server.ts';

export { expect, type Page } from 'playwright/test';

export const test = base.extend<object, { engineServer: EngineServer }>({
  engineServer: [
    async ({ browserName }, use) => {
      if (browserName !== 'chromium') throw new Error(`written for Chromium, not ${browserName}`);
      const server = await startEngineServer();
      await use(server);
      await server.close();
    },
    { scope: 'worker' },
  ],
});

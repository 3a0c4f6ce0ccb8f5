/** A fixture that every test of a worker shares: a server, started for the first of them and closed after the last. */
import type { PlaywrightWorkerOptions, WorkerFixture } from 'playwright/test';

export function workerServer<Server extends { close(): Promise<void> }>(
  start: () => Promise<Server>,
): [WorkerFixture<Server, PlaywrightWorkerOptions>, { scope: 'worker' }] {
  return [
    async ({ browserName }, use) => {
      if (browserName !== 'chromium') throw new Error(`written for Chromium, not ${browserName}`);
      const server = await start();
      await use(server);
      await server.close();
    },
    { scope: 'worker' },
  ];
}

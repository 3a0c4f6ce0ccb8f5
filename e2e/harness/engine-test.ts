/** `test` with the engine's own page, in which `enginePage` is what `engine-page.ts` offers. */
import { test as base } from 'playwright/test';
import { startEngineServer, type EngineServer } from './servers/engine-server.ts';
import { workerServer } from './servers/worker-server.ts';

export { expect, type Page } from 'playwright/test';

export const test = base.extend<object, { engineServer: EngineServer }>({
  engineServer: workerServer(startEngineServer),
});

/** `test` with a hub on this machine, and an app that may fetch from it. */
import { startServer } from '../../src/server/server.ts';
import { tinyFolder, tinyModels } from '../fixtures/tiny-models.ts';
import { startLocalHub, type LocalHub } from './servers/local-hub.ts';
import { projectDir } from './project.ts';
import { test as base } from './test.ts';

export { expect } from './test.ts';

/** What the guarded hub asks for. */
export const accessToken = 'hub-token';

interface HubFixtures {
  /** Folders by `owner/name`. */
  hubModels: ReadonlyMap<string, string>;
  /** Has every tiny model as `tiny/NAME`. */
  hub: LocalHub;
  /** The same, open only to who gives the access token. */
  guardedHub: LocalHub;
  /** The app, whose pages may fetch from both. */
  appOrigin: string;
}

const models = new Map(tinyModels.map((name) => [`tiny/${name}`, tinyFolder(name)]));

export const test = base.extend<object, HubFixtures>({
  hubModels: [models, { option: true, scope: 'worker' }],
  hub: [
    async ({ hubModels }, use) => {
      const hub = await startLocalHub({ models: hubModels });
      await use(hub);
      await hub.close();
    },
    { scope: 'worker' },
  ],
  guardedHub: [
    async ({ hubModels }, use) => {
      const hub = await startLocalHub({ models: hubModels, accessToken });
      await use(hub);
      await hub.close();
    },
    { scope: 'worker' },
  ],
  appOrigin: [
    async ({ hub, guardedHub }, use) => {
      const connectSources = [hub.origin, guardedHub.origin];
      const server = await startServer({ projectDir, connectSources });
      await use(server.httpOrigin);
      await server.close();
    },
    { scope: 'worker' },
  ],
});

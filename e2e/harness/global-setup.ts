/** Before the first end-to-end test: the model is there, the app is built, one server runs. */
import { join } from 'node:path';
import { ensureModel } from '../../src/convert/fetching/fetch-model.ts';
import { defaultModel } from '../../src/model/catalogue.ts';
import { withFileLock } from '../../src/server/file-lock.ts';
import { startServer } from '../../src/server/server.ts';
import { modelCacheDir, projectDir, shardsDir } from './project.ts';

/** Where the tests, which run in processes of their own, find the server. */
export const originVariables = {
  http: 'EDGESHARD_E2E_HTTP_ORIGIN',
  https: 'EDGESHARD_E2E_HTTPS_ORIGIN',
} as const;

export default async function globalSetup(): Promise<() => Promise<void>> {
  await withFileLock(join(modelCacheDir, 'fetch.lock'), () =>
    ensureModel(defaultModel, { shardsDir, cacheDir: modelCacheDir }),
  );
  const server = await startServer({
    projectDir,
    onStep: (sentence) => console.log(sentence),
  });
  process.env[originVariables.http] = server.httpOrigin;
  process.env[originVariables.https] = server.httpsOrigin;
  return () => server.close();
}

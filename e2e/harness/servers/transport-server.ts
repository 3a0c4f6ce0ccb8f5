/** Builds the transport's test page, and has the app's own server serve it and introduce its devices. */
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import type { PortChoice } from '../../../src/server/listen.ts';
import { startServer, type RunningServer } from '../../../src/server/server.ts';
import { projectDir } from '../project.ts';

export interface TransportServer {
  readonly origin: string;
  /** Ends every connection to the server, and takes no new ones. */
  goAway(): Promise<void>;
  /** At the same origin, with no memory of who was there. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export async function startTransportServer(): Promise<TransportServer> {
  const directory = await mkdtemp(join(tmpdir(), 'edgeshard-transport-'));
  const distDir = join(directory, 'dist');
  await buildPage(distDir);
  const serve = (httpPort: PortChoice): Promise<RunningServer> =>
    startServer({
      distDir,
      shardsDir: join(directory, 'shards'),
      cacheDir: join(directory, 'cache'),
      stateDir: join(directory, 'state'),
      build: false,
      httpPort,
    });
  let server = await serve('any');
  const origin = server.httpOrigin;
  return {
    origin,
    goAway: () => server.close(),
    async comeBack() {
      server = await serve({ exactly: Number(new URL(origin).port) });
    },
    async close() {
      await server.close();
      await rm(directory, { recursive: true });
    },
  };
}

async function buildPage(outDir: string): Promise<void> {
  const root = join(projectDir, 'e2e/pages');
  await build({
    configFile: false,
    logLevel: 'warn',
    root,
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      rolldownOptions: { input: join(root, 'transport-page.html') },
    },
  });
  await rename(join(outDir, 'transport-page.html'), join(outDir, 'index.html'));
}

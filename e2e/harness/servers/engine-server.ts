/** Builds the engine's test page as the app itself is built, and serves it with models to run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sirv from 'sirv';
import { build } from 'vite';
import { projectDir, shardsDir } from '../project.ts';

export interface EngineServer {
  /** The page with the headers that wasm threads need. */
  isolatedPage: string;
  /** The same page without them. */
  plainPage: string;
  close(): Promise<void>;
}

export async function startEngineServer(): Promise<EngineServer> {
  const outDir = await mkdtemp(join(tmpdir(), 'edgeshard-engine-page-'));
  const root = join(projectDir, 'e2e/pages');
  await build({
    configFile: join(projectDir, 'vite.config.ts'),
    root,
    logLevel: 'error',
    build: { outDir, rolldownOptions: { input: join(root, 'engine-page.html') } },
  });
  const folders: Record<string, ReturnType<typeof sirv>> = {
    '/shards': sirv(shardsDir),
    '/fixtures': sirv(join(projectDir, 'src/engine/fixtures')),
    '/isolated': sirv(outDir, { setHeaders: isolate }),
    '/plain': sirv(outDir),
  };
  const server = createServer(serve(folders));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    isolatedPage: `http://127.0.0.1:${port}/isolated/engine-page.html`,
    plainPage: `http://127.0.0.1:${port}/plain/engine-page.html`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(outDir, { recursive: true });
    },
  };
}

function serve(folders: Record<string, ReturnType<typeof sirv>>): RequestListener {
  return (request, response) => {
    const prefix = /^\/[^/]*/.exec(request.url ?? '')?.[0] ?? '';
    const missing = (): void => void response.writeHead(404).end();
    if (!(prefix in folders)) {
      missing();
      return;
    }
    request.url = request.url?.slice(prefix.length);
    folders[prefix](request, response, missing);
  };
}

function isolate(response: { setHeader(name: string, value: string): void }): void {
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
}

/** Builds the gallery of screens as the app itself is built, and serves it under the app's own policy. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sirv from 'sirv';
import { build } from 'vite';
import { securityHeaders } from '../../../src/server/security-headers.ts';
import { projectDir } from '../project.ts';

export interface GalleryServer {
  /** Address of one scene of `src/ui/gallery/scenes.ts`. */
  scene(name: string): string;
  close(): Promise<void>;
}

export async function startGalleryServer(): Promise<GalleryServer> {
  const outDir = await mkdtemp(join(tmpdir(), 'edgeshard-gallery-'));
  const root = join(projectDir, 'e2e/pages');
  await build({
    configFile: join(projectDir, 'vite.config.ts'),
    root,
    logLevel: 'error',
    build: { outDir, rolldownOptions: { input: join(root, 'gallery-page.html') } },
  });
  const files = sirv(outDir);
  const server = createServer((request, response) => {
    const context = { host: request.headers.host, secure: false, connectSources: [] };
    for (const [name, value] of Object.entries(securityHeaders(context)))
      response.setHeader(name, value);
    files(request, response, () => void response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    scene: (name) => `http://127.0.0.1:${port}/gallery-page.html?gallery=${name}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(outDir, { recursive: true });
    },
  };
}

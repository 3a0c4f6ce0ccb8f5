/** A running server with a model on it, by catalogue name or from a folder of one's own. */
import { access, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ensureModel } from '../../src/convert/fetch-model.ts';
import { withFileLock } from '../../src/server/file-lock.ts';
import { startServer } from '../../src/server/server.ts';
import { modelCacheDir, projectDir, shardsDir } from './project.ts';

export interface ServedModel {
  origin: string;
  /** Relative to the origin. */
  manifestPath: string;
  close(): Promise<void>;
}

/** Throws one sentence for an unknown name, or a folder without a manifest. */
export async function serveModel(
  nameOrFolder: string,
  say: (step: string) => void,
): Promise<ServedModel> {
  const folder = (await isFolder(nameOrFolder))
    ? await folderWithManifest(nameOrFolder)
    : await catalogueFolder(nameOrFolder, say);
  const server = await startServer({ projectDir, shardsDir: dirname(folder), onStep: say });
  return {
    origin: server.httpOrigin,
    manifestPath: `shards/${basename(folder)}/manifest.json`,
    close: () => server.close(),
  };
}

async function catalogueFolder(name: string, say: (step: string) => void): Promise<string> {
  let saidPercent = -10;
  const manifest = await withFileLock(join(modelCacheDir, 'fetch.lock'), () =>
    ensureModel(name, {
      shardsDir,
      cacheDir: modelCacheDir,
      onProgress({ stage, bytes, totalBytes }) {
        const percent = Math.floor((100 * bytes) / totalBytes);
        if (percent < saidPercent + 10 && percent >= saidPercent) return;
        saidPercent = percent;
        say(`${stage} ${name}: ${percent} %`);
      },
    }),
  );
  return dirname(manifest);
}

async function folderWithManifest(path: string): Promise<string> {
  const folder = resolve(path);
  await access(join(folder, 'manifest.json')).catch(() => {
    throw new Error(`${path} holds no manifest.json: cut the model first with "npm run shard".`);
  });
  return folder;
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() ?? false;
}

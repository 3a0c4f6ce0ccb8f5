/** The models in the shards folder, as the app's first screen offers them. */
import { errorMessage } from '../base/error-message.ts';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifestText } from '../model/parse-manifest.ts';
import type { ServerInfo } from '../model/server-info.ts';

type Model = ServerInfo['models'][number];

/** A manifest lists tensors, never weights. */
const maxManifestBytes = 64 * 1024 * 1024;

export interface ModelList {
  models: Model[];
  /** One sentence for each folder whose manifest is no good. */
  unreadable: string[];
}

/** Lists the folders of a shards folder that hold a valid manifest, by name. */
export function modelLister(shardsDir: string): () => Promise<ModelList> {
  // A manifest is parsed once for each of its versions, however often the page asks.
  const known = new Map<string, { version: string; model: Model | string }>();

  return async () => {
    const list: ModelList = { models: [], unreadable: [] };
    for (const folder of await foldersOf(shardsDir)) {
      const path = join(shardsDir, folder, 'manifest.json');
      const info = await stat(path).catch(() => null);
      if (!info?.isFile()) continue;
      const version = `${info.size} ${info.mtimeMs}`;
      const before = known.get(folder);
      const model =
        before?.version === version ? before.model : await readModel(path, folder, info.size);
      known.set(folder, { version, model });
      if (typeof model === 'string') list.unreadable.push(model);
      else list.models.push(model);
    }
    return list;
  };
}

async function foldersOf(shardsDir: string): Promise<string[]> {
  // No folder yet means no models yet.
  const names = await readdir(shardsDir).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).sort();
}

async function readModel(path: string, folder: string, bytes: number): Promise<Model | string> {
  if (bytes > maxManifestBytes) return `${path} is no manifest: ${bytes} bytes are too many.`;
  try {
    const { name, title, licence, files } = parseManifestText(await readFile(path, 'utf8'));
    return {
      name,
      title,
      licence,
      manifestPath: `shards/${folder}/manifest.json`,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    };
  } catch (error) {
    return `${path}: ${errorMessage(error)}.`;
  }
}

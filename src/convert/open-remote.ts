/**
 * Opens a model on a server: a Hugging Face id, a folder in Hugging Face's layout, or the address of a GGUF
 * file. Only headers are fetched; weights are fetched when they are read. Runs in browsers and in Node.
 */
import type { Checkpoint, ModelLabel } from './checkpoint.ts';
import { blobSource } from './sources/byte-source.ts';
import { blobTree, urlTree } from './sources/file-tree.ts';
import { openGguf } from './gguf/gguf-model.ts';
import { openHttpSource } from './sources/http-source.ts';
import { openHubModel } from './hub/hub-model.ts';
import { locateModel, type ModelLocation } from './model-address.ts';
import { partsOf } from './gguf/split-gguf.ts';

export interface RemoteOptions {
  /** The hub that has the ids; the public one by default. */
  hubUrl?: string;
  /** The person's access token, sent only to the model's own server. */
  token?: string;
}

export interface RemoteCheckpoint extends Checkpoint {
  /** The manifest's file paths are relative to this address. */
  baseUrl: string;
}

/**
 * @param address a hub id (`owner/name`, `owner/name@revision`) or a URL
 * @throws Error that says what was found there instead
 */
export async function openRemote(
  address: string,
  options: RemoteOptions = {},
): Promise<RemoteCheckpoint> {
  const location = locateModel(address, options.hubUrl);
  const headers: Record<string, string> =
    options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
  const label = labelOf(location);
  switch (location.kind) {
    case 'folder': {
      const checkpoint = await openHubModel(urlTree(location.baseUrl, headers), label);
      return { ...checkpoint, baseUrl: location.baseUrl };
    }
    case 'gguf': {
      const files = await Promise.all(
        partsOf(location.fileName).map(async (path) => {
          const url = new URL(path, location.baseUrl).href;
          const source = await openHttpSource(url, headers);
          if (!source) throw new Error(`there is no ${url}`);
          return { path, source };
        }),
      );
      return { ...(await openGguf(files, label)), baseUrl: location.baseUrl };
    }
  }
}

/**
 * Opens the files that a person picked or dropped: a GGUF file, all parts of a split one, or those of a
 * Hugging Face folder.
 *
 * @param files by their names or paths; one folder around all of them is ignored
 */
export async function openPicked(
  files: ReadonlyMap<string, Blob>,
  label: ModelLabel,
): Promise<Checkpoint> {
  const byName = new Map([...files].map(([path, blob]) => [path.replace(/^.*\//, ''), blob]));
  const ggufs = [...byName.keys()].filter((name) => name.endsWith('.gguf'));
  if (ggufs.length === 0) return openHubModel(blobTree(byName), label);
  const parts = partsOf(ggufs[0]).map((name, i) => {
    const blob = byName.get(name);
    if (!blob) throw new Error(`${name} is missing: pick all parts of the model together`);
    return { path: `part-${i}.gguf`, source: blobSource(blob) };
  });
  if (parts.length !== ggufs.length)
    throw new Error(`pick one model at a time, not ${ggufs.join(' and ')}`);
  return openGguf(parts, label);
}

export function labelOf(location: ModelLocation): ModelLabel {
  const name = location.title.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return { name: name.slice(0, 128) || 'model', title: location.title, licence: 'unknown' };
}

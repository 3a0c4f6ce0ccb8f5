/** A model on a server: where its address leads, and what is found there. Runs in browsers and in Node. */
import type { CheckpointFile } from '../../checkpoint.ts';
import { partsOf } from '../../gguf/split-gguf.ts';
import { locateModel, type ModelLocation } from '../../model-address.ts';
import { labelOf, openRemote, type RemoteOptions } from '../../open-remote.ts';
import { urlTree } from '../../sources/file-tree.ts';
import { openHttpSource } from '../../sources/http-source.ts';
import type { ModelPlace } from '../describe-model.ts';
import { noFacts, type ModelFacts } from './model-facts.ts';
import { readFolder } from './read-folder.ts';
import { readGguf } from './read-gguf.ts';
import { readShards } from './read-shards.ts';
import { refusalOf } from './refusal-of.ts';

export interface AddressedModel {
  kind: 'folder' | 'gguf' | 'shards';
  place: ModelPlace;
  read: () => Promise<ModelFacts>;
}

/**
 * Fetches nothing before it is read.
 *
 * @throws Error where the address names no model
 */
export function modelAtAddress(address: string, options: RemoteOptions = {}): AddressedModel {
  const manifest = manifestAddress(address);
  if (manifest) return shardsAt(manifest, options);
  const location = locateModel(address, options.hubUrl);
  return {
    kind: location.kind,
    place: placeOf(location),
    read: () => readLocation(address, location, options),
  };
}

function manifestAddress(address: string): URL | null {
  const text = address.trim();
  if (!/^https?:/i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.pathname.endsWith('/manifest.json') ? url : null;
}

function shardsAt(url: URL, options: RemoteOptions): AddressedModel {
  const baseUrl = new URL('.', url).href;
  return {
    kind: 'shards',
    place: { baseUrl, fileName: null, requested: url.href },
    read: () => readShards(urlTree(baseUrl, headersOf(options)), `manifest.json${url.search}`),
  };
}

function placeOf(location: ModelLocation): ModelPlace {
  switch (location.kind) {
    case 'folder': {
      const { baseUrl } = location;
      return { baseUrl, fileName: null, requested: new URL('config.json', baseUrl).href };
    }
    case 'gguf': {
      const { baseUrl, fileName } = location;
      return { baseUrl, fileName, requested: new URL(encodeURIComponent(fileName), baseUrl).href };
    }
  }
}

async function readLocation(
  address: string,
  location: ModelLocation,
  options: RemoteOptions,
): Promise<ModelFacts> {
  const headers = headersOf(options);
  switch (location.kind) {
    case 'folder':
      return readFolder(urlTree(location.baseUrl, headers), () => openRemote(address, options));
    case 'gguf':
      try {
        return await readGguf(await filesAt(location, headers), labelOf(location));
      } catch (error) {
        return { ...noFacts('gguf'), refusal: refusalOf(error) };
      }
  }
}

async function filesAt(
  { baseUrl, fileName }: Extract<ModelLocation, { kind: 'gguf' }>,
  headers: Readonly<Record<string, string>>,
): Promise<CheckpointFile[]> {
  return Promise.all(
    partsOf(fileName).map(async (path) => {
      const url = new URL(path, baseUrl).href;
      const source = await openHttpSource(url, headers);
      if (!source) throw new Error(`there is no ${url}`);
      return { path, source };
    }),
  );
}

function headersOf({ token }: RemoteOptions): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

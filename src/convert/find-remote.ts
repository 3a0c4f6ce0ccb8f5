/**
 * Finds the files of a model on a server: a Hugging Face id, a folder in Hugging Face's layout, or the address of
 * a GGUF file. Runs in browsers and in Node.
 */
import * as v from 'valibot';
import { FetchFailure } from '../base/http/asking/failure.ts';
import type { HttpLimits } from '../base/http/asking/limits.ts';
import { shownAddress } from '../base/http/shown-address.ts';
import { relativePath } from '../model/manifest.ts';
import type { CheckpointFile } from './checkpoint.ts';
import { partsOf } from './gguf/split-gguf.ts';
import { revisionOf, type HubPlace } from './hub/hub-address.ts';
import { listHubFiles } from './hub/hub-list.ts';
import { fileAddress, locateModel, type ModelLocation } from './model-address.ts';
import { urlTree, type FileTree } from './sources/file-tree.ts';
import { findQuant, ggufModels, quantOf } from './sources/gguf-files.ts';
import { openHttpSource } from './sources/http-source.ts';
import { refusePointer } from './sources/lfs-pointer.ts';

export interface RemoteOptions {
  /** The hub that has the ids; the public one by default. */
  hubUrl?: string;
  /** The person's access token, sent only to the model's own server. */
  token?: string;
  /** Ends opening and reading at once. */
  signal?: AbortSignal;
  limits?: Partial<HttpLimits>;
}

/** Where the model lies, and its files. An address may lead to another place, such as the file of a quant. */
export type FoundRemote =
  | { kind: 'folder'; location: FolderLocation; tree: FileTree }
  /** All parts in order; `isNamed`: their paths are the files' own names. */
  | { kind: 'gguf'; location: GgufLocation; files: CheckpointFile[]; isNamed: boolean };

/** @throws Error that says what the server answered, or which models there are if the address names none of them */
export async function findRemote(
  location: ModelLocation,
  options: RemoteOptions = {},
): Promise<FoundRemote> {
  const asking: Asking = { ...options, headers: headersFor(options.token) };
  switch (location.kind) {
    case 'folder':
      return findFolder(location, asking);
    case 'gguf': {
      const { hub } = location;
      if (!hub || hub.quant === null) return findGguf(location, asking);
      return findGguf(await findInList(hub, hub.quant, asking), asking);
    }
  }
}

interface Asking extends RemoteOptions {
  headers: Record<string, string>;
}

/** @throws Error for a token that no header can carry */
export function headersFor(token: string | undefined): Record<string, string> {
  if (token === undefined) return {};
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Error(
      'the access token has a character that no token has, such as a space: copy it again, or leave it out',
    );
  return { Authorization: `Bearer ${token}` };
}

type FolderLocation = Extract<ModelLocation, { kind: 'folder' }>;
type GgufLocation = Extract<ModelLocation, { kind: 'gguf' }>;

async function findFolder(location: FolderLocation, asking: Asking): Promise<FoundRemote> {
  const { baseUrl, query, hub } = location;
  const list = hub ? () => listFolder(hub, asking) : undefined;
  const tree = urlTree(baseUrl, { ...asking, query, ...(list && { list }) });
  if (!hub && !(await tree.open('config.json'))) {
    const mirror = await findMirror(location, asking);
    if (mirror) return findFolder(mirror, asking);
  }
  if (hub && !(await isHubModel(tree))) {
    const models = ggufModels((await listFolder(hub, asking)) ?? []);
    if (models.length > 1) throw severalModels(hub, models);
    if (models.length === 1) return findGguf(inFolder(hub, location, models[0]), asking);
  }
  return { kind: 'folder', location, tree };
}

/** The address of a model's page may be on a hub that is not known as one, such as a mirror of the public hub. */
async function findMirror(
  { baseUrl }: FolderLocation,
  asking: Asking,
): Promise<FolderLocation | null> {
  const { origin, pathname } = new URL(baseUrl);
  if (!/^\/[\w.-]+\/[\w.-]+\/$/.test(pathname)) return null;
  const mirror = locateModel(`${origin}${pathname}tree/main`, origin);
  if (mirror.kind !== 'folder' || !mirror.hub) return null;
  return (await urlTree(mirror.baseUrl, asking).open('config.json')) && mirror;
}

/** Whether the folder has what a Hugging Face model needs. Other repositories may hold GGUF files. */
async function isHubModel(tree: FileTree): Promise<boolean> {
  if (!(await tree.open('config.json'))) return false;
  return Boolean(
    (await tree.open('model.safetensors')) ?? (await tree.open('model.safetensors.index.json')),
  );
}

/** The paths of the files in the hub's folder, relative to it; null if the hub does not list them. */
async function listFolder(hub: HubPlace, asking: Asking): Promise<string[] | null> {
  const folder = hub.path === '' ? '' : `${hub.path}/`;
  try {
    const paths = await listHubFiles(hub, asking);
    return paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
  } catch (error) {
    // The list only helps to say what is there. Without it, the missing file is the reason to give.
    asking.signal?.throwIfAborted();
    if (error instanceof FetchFailure) return null;
    throw error;
  }
}

function inFolder(hub: HubPlace, { title }: FolderLocation, path: string): GgufLocation {
  return { ...ggufLocation(hub, hub.path === '' ? path : `${hub.path}/${path}`), title };
}

function ggufLocation(hub: HubPlace, path: string): GgufLocation {
  const place = { ...hub, path, quant: null };
  const { hubUrl, id } = hub;
  const address = `${id}/resolve/${revisionOf(hub)}/${fileAddress('', path, '')}`;
  const location = locateModel(new URL(address, hubUrl).href, hubUrl);
  if (location.kind === 'gguf') return { ...location, hub: place };
  throw new Error(`${path} of ${id} is no GGUF file`);
}

function severalModels({ id }: HubPlace, models: readonly string[]): Error {
  const types = models.map(quantOf);
  return new Error(
    `${id} has no weights as safetensors, but ${models.length} GGUF models (${types.join(', ')}): name one, ` +
      `such as ${id}:${types[0]}`,
  );
}

async function findInList(hub: HubPlace, quant: string, asking: Asking): Promise<GgufLocation> {
  const paths = await listHubFiles(hub, asking);
  const found = findQuant(paths, quant);
  if (found !== null) return ggufLocation(hub, found);
  const types = ggufModels(paths).map(quantOf);
  const instead = types.length === 0 ? 'no GGUF file at all' : types.join(', ');
  throw new Error(
    `${hub.id} has no GGUF file of the type ${quant || 'asked for'}; it has ${instead}`,
  );
}

async function findGguf(location: GgufLocation, asking: Asking): Promise<FoundRemote> {
  const { baseUrl, query } = location;
  const names = partsOf(location.fileName);
  // Other names would be no paths of a manifest, by which the room's other devices ask for the files.
  const isNamed = names.every((name) => v.is(relativePath, name));
  const files = await Promise.all(
    names.map(async (name, i): Promise<CheckpointFile> => {
      const url = fileAddress(baseUrl, name, query);
      const source = await openHttpSource(url, asking.headers, asking);
      if (!source) throw new Error(`there is no ${shownAddress(url)}`);
      await refusePointer(name, source);
      return { path: isNamed ? name : `part-${i}.gguf`, source };
    }),
  );
  return { kind: 'gguf', location, files, isNamed };
}

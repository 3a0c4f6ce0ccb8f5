/** Opens the model that the host chose, wherever it lies, before a byte of its weights is fetched. */
import type { Checkpoint, ModelLabel } from '../../convert/checkpoint.ts';
import { blobTree, urlTree } from '../../convert/file-tree.ts';
import { openGguf, type GgufFile } from '../../convert/gguf-model.ts';
import { openHttpSource } from '../../convert/http-source.ts';
import { openHubModel } from '../../convert/hub-model.ts';
import { partsOf } from '../../convert/split-gguf.ts';
import { blobSource } from '../../convert/byte-source.ts';
import type { Manifest } from '../../model/manifest.ts';
import { parseManifest } from '../../model/parse-manifest.ts';
import { httpOrigin, sourcesOrigin, type PieceOrigin } from '../../store/piece-origin.ts';
import { readManifest, sha256Hex } from '../../store/read-manifest.ts';
import type { ModelChoice } from '../room.ts';

/** How other devices come to the model. */
export type ModelAddress =
  | { kind: 'shards'; manifestUrl: string; sha256: string }
  /** The host sends the manifest itself; `baseUrl` null: the bytes come from the host and from each other. */
  | { kind: 'given'; sha256: string; baseUrl: string | null };

export interface OpenedModel {
  manifest: Manifest;
  origin: PieceOrigin;
  address: ModelAddress;
  /** The manifest's JSON, for models that no server describes. */
  manifestBytes: Uint8Array<ArrayBuffer> | null;
}

/** Throws one sentence that says what was found instead of a model, or what is missing. */
export async function openModel(choice: ModelChoice): Promise<OpenedModel> {
  switch (choice.kind) {
    case 'shards':
      return openShards(choice.manifestUrl);
    case 'hub': {
      const { repository, file } = readHubId(choice.id);
      const revision = choice.revision ?? 'main';
      const baseUrl = `${choice.hubUrl ?? defaultHubUrl}/${repository}/resolve/${revision}/`;
      const token = choice.accessToken;
      const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
      const checkpoint = file
        ? await openGgufAt(baseUrl, file, headers)
        : await openHubModel(urlTree(baseUrl, headers), labelFor(repository));
      // An access token stays with the host: then the others have the bytes from it.
      return opened(checkpoint, token === null ? baseUrl : null);
    }
    case 'url': {
      const url = new URL(choice.url, document.baseURI);
      if (url.pathname.endsWith('/manifest.json')) return openShards(url.href);
      if (!url.pathname.endsWith('.gguf')) {
        const folder = url.href.endsWith('/') ? url.href : `${url.href}/`;
        return opened(await openHubModel(urlTree(folder), labelFor(url.pathname)), folder);
      }
      const baseUrl = new URL('.', url).href;
      const file = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
      return opened(await openGgufAt(baseUrl, file, {}), baseUrl);
    }
    case 'files':
      return opened(await openFiles(choice.files), null);
  }
}

const defaultHubUrl = 'https://huggingface.co';

async function openShards(manifestUrl: string): Promise<OpenedModel> {
  const url = new URL(manifestUrl, document.baseURI).href;
  const { manifest, sha256, baseUrl } = await readManifest(url, parseManifest);
  const origin = httpOrigin(manifest, baseUrl);
  return {
    manifest,
    origin,
    address: { kind: 'shards', manifestUrl, sha256 },
    manifestBytes: null,
  };
}

async function opened(
  { manifest, sources }: Checkpoint,
  baseUrl: string | null,
): Promise<OpenedModel> {
  const manifestBytes = new TextEncoder().encode(JSON.stringify(manifest));
  const sha256 = await sha256Hex(manifestBytes);
  const origin = sourcesOrigin(sha256, sources);
  return { manifest, origin, address: { kind: 'given', sha256, baseUrl }, manifestBytes };
}

/** `owner/model`, or `owner/model/file.gguf` for one file of it. */
function readHubId(id: string): { repository: string; file: string | null } {
  const match = /^([\w.-]+\/[\w.-]+)(?:\/([\w./-]+\.gguf))?$/.exec(id.trim());
  if (!match || id.includes('..'))
    throw new Error(
      `"${id}" is no model's name: give one like HuggingFaceTB/SmolLM2-360M-Instruct, with a file's name behind it for GGUF.`,
    );
  return { repository: match[1], file: match.at(2) ?? null };
}

async function openGgufAt(
  baseUrl: string,
  file: string,
  headers: Readonly<Record<string, string>>,
): Promise<Checkpoint> {
  const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/') + 1) : '';
  const files: GgufFile[] = [];
  for (const part of partsOf(file.slice(folder.length))) {
    const path = folder + part;
    const source = await openHttpSource(new URL(path, baseUrl).href, headers);
    if (!source) throw new Error(`There is no ${path} at ${baseUrl}.`);
    files.push({ path, source });
  }
  return openGguf(files, labelFor(file));
}

function openFiles(files: readonly File[]): Promise<Checkpoint> {
  const ggufs = files.filter(({ name }) => name.endsWith('.gguf'));
  if (ggufs.length > 0) {
    const parts = [...ggufs].sort((a, b) => a.name.localeCompare(b.name));
    return openGguf(
      parts.map((file, index) => ({ path: `part-${index}.gguf`, source: blobSource(file) })),
      labelFor(parts[0].name),
    );
  }
  const byPath = new Map<string, Blob>(files.map((file) => [pathInFolder(file), file]));
  const folder = files.at(0)?.webkitRelativePath.split('/').at(0);
  return openHubModel(
    blobTree(byPath),
    labelFor(folder === undefined || folder === '' ? 'model' : folder),
  );
}

/** A dropped folder's files carry its name before their own path. */
function pathInFolder({ name, webkitRelativePath }: File): string {
  const path = webkitRelativePath.split('/').slice(1).join('/');
  return path === '' ? name : path;
}

function labelFor(path: string): ModelLabel {
  const title = path
    .split('/')
    .filter(Boolean)
    .at(-1)
    ?.replace(/(-\d{5}-of-\d{5})?\.gguf$/, '');
  const name = (title ?? 'model').replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return { name: name.slice(0, 128) || 'model', title: title ?? 'model', licence: 'unknown' };
}

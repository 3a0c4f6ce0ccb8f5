/** Opens the model that the host chose, wherever it lies, without fetching any of its weights. */
import type { Checkpoint, ModelLabel } from '../../../convert/checkpoint.ts';
import { openPicked, openRemote } from '../../../convert/open-remote.ts';
import type { Manifest } from '../../../model/manifest.ts';
import { parseManifest } from '../../../model/parse-manifest.ts';
import { httpOrigin, sourcesOrigin, type PieceOrigin } from '../../../store/piece-origin.ts';
import { readManifest, sha256Hex } from '../../../store/read-manifest.ts';
import type { ModelChoice } from '../../room.ts';

/** Where other devices get the model from. */
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
      const { accessToken, hubUrl = publicHubUrl } = choice;
      const remote = await reach(
        hubUrl,
        openRemote(addressOnHub(choice, hubUrl), {
          hubUrl,
          ...(accessToken !== null && { token: accessToken }),
        }),
      );
      // An access token stays with the host. The others then get the bytes from the host.
      return opened(remote, { ...remote, accessToken });
    }
    case 'url': {
      const url = new URL(choice.url, document.baseURI);
      if (url.pathname.endsWith('/manifest.json')) return openShards(url.href);
      const remote = await reach(url.href, openRemote(url.href));
      return opened(remote, { ...remote, accessToken: null });
    }
    case 'files':
      return opened(await openPicked(byPath(choice.files), labelOf(choice.files)), null);
  }
}

export const publicHubUrl = 'https://huggingface.co';

/** A browser does not say why it could not fetch, so the error names what may stand in the way. */
async function reach<T>(address: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const { origin } = new URL(address);
    throw new Error(
      `${origin} cannot be reached from this page: the address may be wrong, that server may keep its files from other sites, or this app may not be allowed to go there (npm start -- --connect ${origin}).`,
      { cause: error },
    );
  }
}

/** `owner/model`, or `owner/model/file.gguf` for one file of it. */
export function addressOnHub(
  { id, revision = 'main' }: Extract<ModelChoice, { kind: 'hub' }>,
  hubUrl: string,
): string {
  const match = /^([\w.-]+\/[\w.-]+)(?:\/([\w./-]+\.gguf))?$/.exec(id.trim());
  if (!match || id.includes('..'))
    throw new Error(
      `"${id}" is no model's name: give one like HuggingFaceTB/SmolLM2-360M-Instruct, with a file's name behind it for GGUF.`,
    );
  const file = match.at(2);
  if (file === undefined) return `${match[1]}@${revision}`;
  return new URL(`${match[1]}/resolve/${encodeURIComponent(revision)}/${file}`, hubUrl).href;
}

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

/** Where a model lies on a server; null for a person's own files. */
type Place = { baseUrl: string; accessToken: string | null } | null;

async function opened({ manifest, sources }: Checkpoint, place: Place): Promise<OpenedModel> {
  const manifestBytes = new TextEncoder().encode(JSON.stringify(manifest));
  const sha256 = await sha256Hex(manifestBytes);
  const isPublic = place !== null && place.accessToken === null;
  return {
    manifest,
    origin: originOf(sha256, manifest, sources, place),
    address: { kind: 'given', sha256, baseUrl: isPublic ? place.baseUrl : null },
    manifestBytes,
  };
}

/** A tokenizer may have been made from the header of a GGUF file, so it is read from where it was opened. */
function originOf(
  name: string,
  manifest: Manifest,
  sources: Checkpoint['sources'],
  place: Place,
): PieceOrigin {
  const own = sourcesOrigin(name, sources);
  if (!place) return own;
  const remote = httpOrigin(manifest, place.baseUrl, place.accessToken);
  const tokenizer = manifest.files.findIndex(({ path }) => path === manifest.tokenizer);
  return {
    name,
    read: (piece, ...rest) => (piece.file === tokenizer ? own : remote).read(piece, ...rest),
  };
}

/** A dropped folder's files carry its name before their own path. */
export function byPath(files: readonly File[]): Map<string, File> {
  return new Map(files.map((file) => [file.webkitRelativePath || file.name, file]));
}

export function labelOf(files: readonly File[]): ModelLabel {
  const title = titleOf(files);
  return { name: nameFrom(title), title, licence: 'unknown' };
}

function titleOf(files: readonly File[]): string {
  const gguf = files.find(({ name }) => name.endsWith('.gguf'));
  if (gguf) return gguf.name.replace(/(-\d{5}-of-\d{5})?\.gguf$/, '');
  return files.at(0)?.webkitRelativePath.split('/').at(0) || 'A model of your own';
}

/** As a manifest may carry it. */
function nameFrom(title: string): string {
  const name = title.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return name.slice(0, 128) || 'model';
}

/** Opens the model that the host chose, wherever it lies, without fetching any of its weights. */
import { FetchFailure } from '../../../base/http/asking/failure.ts';
import type { Checkpoint } from '../../../convert/checkpoint.ts';
import { publicHub, withSlash } from '../../../convert/hub/hub-address.ts';
import { fileAddress } from '../../../convert/model-address.ts';
import { openPicked, openRemote, type RemoteCheckpoint } from '../../../convert/open-remote.ts';
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

/**
 * Throws one sentence that says what was found instead of a model, or what is missing. Opening and reading end
 * when the signal aborts.
 */
export async function openModel(choice: ModelChoice, signal?: AbortSignal): Promise<OpenedModel> {
  const ending = signal && { signal };
  switch (choice.kind) {
    case 'shards':
      return openShards(choice.manifestUrl, signal);
    case 'hub': {
      const { accessToken, hubUrl = publicHub } = choice;
      const options = { ...ending, hubUrl, ...(accessToken !== null && { token: accessToken }) };
      const address = addressOnHub(choice, hubUrl);
      return placed(await reach(hubUrl, openRemote(address, options)), accessToken);
    }
    case 'url': {
      const url = new URL(choice.url, document.baseURI);
      if (url.pathname.endsWith('/manifest.json')) return openShards(url.href, signal);
      const { accessToken = null } = choice;
      const options = { ...ending, ...(accessToken !== null && { token: accessToken }) };
      return placed(await reach(url.href, openRemote(url.href, options)), accessToken);
    }
    case 'files':
      return opened(await openPicked(byPath(choice)), null);
  }
}

/** A browser does not say why it could not fetch, so the error names what may stand in the way. */
async function reach<T>(address: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof FetchFailure) || error.kind !== 'unreachable') throw error;
    const { origin } = new URL(address);
    throw new Error(
      `${origin} cannot be reached from this page: the address may be wrong, that server may keep its files from other sites, or this app may not be allowed to go there (npm start -- --connect ${origin}).`,
      { cause: error },
    );
  }
}

/** `owner/model`, `owner/model:Q4_K_M`, or `owner/model/file.gguf` for one file of it. */
export function addressOnHub(
  { id, revision }: Extract<ModelChoice, { kind: 'hub' }>,
  hubUrl: string,
): string {
  const match = /^([\w.-]+\/[\w.-]+)(:[\w.-]+|\/[^?#]+\.gguf)?$/i.exec(id.trim());
  if (!match || id.includes('..'))
    throw new Error(
      `"${id}" is no model's name: give one like HuggingFaceTB/SmolLM2-360M-Instruct, with a file's name behind it for GGUF.`,
    );
  const [, model, behind = ''] = match;
  const encoded = revision && encodeURIComponent(revision);
  if (!behind.startsWith('/')) return `${model}${encoded ? `@${encoded}` : ''}${behind}`;
  const folder = new URL(`${model}/resolve/${encoded || 'main'}/`, withSlash(hubUrl));
  return fileAddress(folder.href, behind.slice(1), '');
}

async function openShards(manifestUrl: string, signal?: AbortSignal): Promise<OpenedModel> {
  const url = new URL(manifestUrl, document.baseURI);
  const read = await readManifest(url.href, parseManifest, undefined, signal);
  const { manifest, sha256, baseUrl } = read;
  const origin = httpOrigin(manifest, baseUrl, { query: url.search });
  return {
    manifest,
    origin,
    address: { kind: 'shards', manifestUrl, sha256 },
    manifestBytes: null,
  };
}

/** Where a model lies on a server. */
interface ServerPlace {
  baseUrl: string;
  query: string;
  accessToken: string | null;
}

function placed(remote: RemoteCheckpoint, accessToken: string | null): Promise<OpenedModel> {
  const { baseUrl, query } = remote;
  return opened(remote, baseUrl === null ? null : { baseUrl, query, accessToken });
}

/** @param place null for files that only this device can read */
async function opened(
  { manifest, sources }: Checkpoint,
  place: ServerPlace | null,
): Promise<OpenedModel> {
  const manifestBytes = new TextEncoder().encode(JSON.stringify(manifest));
  const sha256 = await sha256Hex(manifestBytes);
  // An access token or a signed query stays with the host. The others then get the bytes from the host.
  const isPublic = place !== null && place.accessToken === null && place.query === '';
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
  place: ServerPlace | null,
): PieceOrigin {
  const own = sourcesOrigin(name, sources);
  if (!place) return own;
  const remote = httpOrigin(manifest, place.baseUrl, place);
  const tokenizer = manifest.files.findIndex(({ path }) => path === manifest.tokenizer);
  return {
    name,
    read: (piece, ...rest) => (piece.file === tokenizer ? own : remote).read(piece, ...rest),
  };
}

/** A dropped folder's files carry its name before their own path. */
export function byPath({
  files,
  paths = [],
}: Extract<ModelChoice, { kind: 'files' }>): Map<string, File> {
  return new Map(
    files.map((file, i) => [paths.at(i) ?? (file.webkitRelativePath || file.name), file]),
  );
}

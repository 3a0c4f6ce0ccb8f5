/** Fetches a model's manifest, and checks it against the hash that the room uses. */
import { cryptography } from '../base/cryptography.ts';
import { FetchFailure } from '../base/http/asking/failure.ts';
import { readWhole } from '../base/http/read-whole.ts';
import { shownAddress } from '../base/http/shown-address.ts';
import type { Manifest } from '../model/manifest.ts';

export interface FetchedManifest {
  manifest: Manifest;
  /** The hash of the manifest's bytes, which must be the same on all devices of a room. */
  sha256: string;
  /** The address that the manifest's file paths are relative to. */
  baseUrl: string;
}

/** A manifest lists names, places and hashes; even a large model's is far smaller than this. */
const maxManifestBytes = 16 * 1024 * 1024;

/**
 * Throws one sentence if there is no manifest at `url`, if it is incomplete or invalid, or if its hash is not
 * `expectedSha256`.
 */
export async function readManifest(
  url: string,
  parse: (json: unknown) => Manifest,
  expectedSha256?: string,
  signal?: AbortSignal,
): Promise<FetchedManifest> {
  const bytes = await fetchManifest(url, signal);
  const sha256 = await sha256Hex(bytes);
  if (expectedSha256 !== undefined && sha256 !== expectedSha256)
    throw new Error(
      'The model on the server is not the one that this room was opened with. Reload the page; if that does not help, the host should open the room again.',
    );
  return { manifest: parse(parseJson(bytes, url)), sha256, baseUrl: new URL('.', url).href };
}

async function fetchManifest(url: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const shown = shownAddress(url);
  const name = `The model's manifest at ${shown}`;
  try {
    const read = { url, name, maxBytes: maxManifestBytes, cache: 'no-cache', signal } as const;
    return (await readWhole(read)).bytes;
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error;
    throw new Error(sentenceFor(error, shown), { cause: error });
  }
}

function sentenceFor({ kind, status, message }: FetchFailure, shown: string): string {
  switch (kind) {
    case 'unreachable':
      return `The model's manifest at ${shown} cannot be reached; is its server running?`;
    case 'missing':
      return `There is no model at ${shown} (the server answered ${status ?? 404}).`;
    case 'size':
      return `The manifest at ${shown} has more than ${maxManifestBytes} bytes, which is too large for a manifest.`;
    default:
      return message;
  }
}

function parseJson(bytes: Uint8Array, url: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new Error(
      `The manifest at ${shownAddress(url)} is not complete JSON; cut or fetch the model again.`,
      {
        cause: error,
      },
    );
  }
}

export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await cryptography().digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

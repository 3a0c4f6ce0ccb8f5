/** Fetches a model's manifest, and checks it against the hash that the room uses. */
import { cryptography } from '../base/cryptography.ts';
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
): Promise<FetchedManifest> {
  const response = await fetch(url, { cache: 'no-cache' }).catch((error: unknown) => {
    throw new Error(`The model's manifest at ${url} cannot be reached; is its server running?`, {
      cause: error,
    });
  });
  if (!response.ok)
    throw new Error(`There is no model at ${url} (the server answered ${response.status}).`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > maxManifestBytes)
    throw new Error(
      `The manifest at ${url} is ${bytes.length} bytes long, which is too large for a manifest.`,
    );
  const sha256 = await sha256Hex(bytes);
  if (expectedSha256 !== undefined && sha256 !== expectedSha256)
    throw new Error(
      'The model on the server is not the one that this room was opened with. Reload the page; if that does not help, the host should open the room again.',
    );
  return { manifest: parse(parseJson(bytes, url)), sha256, baseUrl: new URL('.', url).href };
}

function parseJson(bytes: Uint8Array, url: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new Error(`The manifest at ${url} is not complete JSON; cut or fetch the model again.`, {
      cause: error,
    });
  }
}

export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await cryptography().digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

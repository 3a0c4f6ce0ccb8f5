/** The room's model as a device comes to it: its manifest, checked, and where its bytes are. */
import { asError } from '../../base/error-message.ts';
import type { Manifest } from '../../model/manifest.ts';
import { parseManifest } from '../../model/parse-manifest.ts';
import { httpOrigin, type PieceOrigin } from '../../store/piece-origin.ts';
import { readManifest, sha256Hex } from '../../store/read-manifest.ts';
import type { Link } from '../../transport/index.ts';
import { decodeBulk, type HostMessage } from '../protocol/index.ts';

export interface RoomModel {
  manifest: Manifest;
  sha256: string;
  /** Null where only the host and the other devices have the bytes. */
  outside: PieceOrigin | null;
}

type ModelAddress = Extract<HostMessage, { kind: 'welcome' }>['model'];

/** Throws one sentence when the manifest is not the one that the host spoke of. */
export async function findRoomModel(
  address: ModelAddress,
  host: Pick<Link, 'onBulk' | 'onClosed'>,
  signal?: AbortSignal,
): Promise<RoomModel> {
  const { sha256 } = address;
  if (address.kind === 'shards') {
    const { href, search: query } = new URL(address.manifestUrl, document.baseURI);
    const { manifest, baseUrl } = await readManifest(href, parseManifest, sha256, signal);
    return { manifest, sha256, outside: httpOrigin(manifest, baseUrl, { query }) };
  }
  const bytes = await sentManifest(host);
  if ((await sha256Hex(bytes)) !== sha256)
    throw new Error('The host sent a model description that is not the one it spoke of.');
  const manifest = parseManifest(JSON.parse(new TextDecoder().decode(bytes)));
  const { baseUrl } = address;
  return { manifest, sha256, outside: baseUrl === null ? null : httpOrigin(manifest, baseUrl) };
}

function sentManifest(host: Pick<Link, 'onBulk' | 'onClosed'>): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    host.onClosed((reason) => reject(new Error(reason)));
    const stop = host.onBulk((message) => {
      queueMicrotask(() => stop());
      try {
        const { header, body } = decodeBulk(message);
        if (header.kind !== 'manifest')
          throw new Error(`The host sent a ${header.kind} before its model's description.`);
        resolve(body.slice());
      } catch (error) {
        reject(asError(error));
      }
    });
  });
}

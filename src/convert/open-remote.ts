/**
 * Opens a model on a server: a Hugging Face id, a folder in Hugging Face's layout, or the address of a GGUF
 * file. Only headers are fetched; weights are fetched when they are read. Runs in browsers and in Node.
 */
import { labelFor, type Checkpoint, type ModelLabel } from './checkpoint.ts';
import { findPicked } from './find-picked.ts';
import { findRemote, type RemoteOptions } from './find-remote.ts';
import { openGguf } from './gguf/gguf-model.ts';
import { openHubModel } from './hub/hub-model.ts';
import { locateModel } from './model-address.ts';

export interface RemoteCheckpoint extends Checkpoint {
  /** The manifest's file paths are relative to this address; null if they are not the files' own names. */
  baseUrl: string | null;
  /** Such as `?signature=…`, which every file's address needs; mostly empty. It may be a secret. */
  query: string;
}

/**
 * @param address whatever `locateModel` reads: a hub id (`owner/name`, `owner/name@revision`, `owner/name:QUANT`) or
 *   a URL
 * @throws Error that says what was found there instead
 */
export async function openRemote(
  address: string,
  options: RemoteOptions = {},
): Promise<RemoteCheckpoint> {
  const found = await findRemote(locateModel(address, options.hubUrl), options);
  const { baseUrl, query, title } = found.location;
  switch (found.kind) {
    case 'folder':
      return { ...(await openHubModel(found.tree, labelFor(title))), baseUrl, query };
    case 'gguf': {
      const checkpoint = await openGguf(found.files, labelFor(title));
      return { ...checkpoint, baseUrl: found.isNamed ? baseUrl : null, query };
    }
  }
}

/**
 * Opens the files that a person picked or dropped: a GGUF file, all parts of a split one, or those of a
 * Hugging Face folder, wherever it lies among them. Nothing is read from other folders.
 *
 * @param files by their paths, or by their names where they have none
 * @param label by default the folder's or file's name
 */
export async function openPicked(
  files: ReadonlyMap<string, Blob>,
  label?: ModelLabel,
): Promise<Checkpoint> {
  const found = await findPicked(files);
  const named = label ?? labelFor(found.title);
  switch (found.kind) {
    case 'folder':
      return openHubModel(found.tree, named);
    case 'gguf':
      return openGguf(found.files, named);
  }
}

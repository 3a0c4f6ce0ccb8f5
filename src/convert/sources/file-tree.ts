import { errorMessage } from '../../base/error-message.ts';
import { blobSource, type ByteSource } from './byte-source.ts';
import { openHttpSource } from './http-source.ts';

/** Files by their paths inside one folder: on a disk, on a server, or picked by a person. */
export interface FileTree {
  /** Null where there is no such file. */
  open(path: string): Promise<ByteSource | null>;
}

/** Files that a person picked or dropped, by their paths. */
export function blobTree(blobs: ReadonlyMap<string, Blob>): FileTree {
  return {
    open: (path) => {
      const blob = blobs.get(path);
      return Promise.resolve(blob ? blobSource(blob) : null);
    },
  };
}

/**
 * @param baseUrl ends with a slash, e.g. `https://hub.example/owner/model/resolve/main/`
 * @param headers sent with every request, e.g. an access token
 */
export function urlTree(baseUrl: string, headers: Readonly<Record<string, string>> = {}): FileTree {
  return { open: (path) => openHttpSource(new URL(path, baseUrl).href, headers) };
}

/** Reads a whole text file, and refuses one larger than `maxBytes`. */
export async function readText(
  tree: FileTree,
  path: string,
  maxBytes: number,
): Promise<string | null> {
  const source = await tree.open(path);
  if (!source) return null;
  if (source.bytes > maxBytes)
    throw new Error(`${path} has ${source.bytes} bytes, where at most ${maxBytes} are expected`);
  return new TextDecoder().decode(await source.read(0, source.bytes));
}

/** The same, parsed. */
export async function readJson(
  tree: FileTree,
  path: string,
  maxBytes: number,
): Promise<{ json: unknown } | null> {
  const text = await readText(tree, path, maxBytes);
  if (text === null) return null;
  try {
    return { json: JSON.parse(text) };
  } catch (error) {
    const reason = errorMessage(error);
    throw new Error(`${path} is not complete JSON (${reason})`, { cause: error });
  }
}

import { errorMessage } from '../../base/error-message.ts';
import { blobSource, type ByteSource } from './byte-source.ts';
import { openHttpSource, type HttpSourceOptions } from './http-source.ts';
import { refusePointer } from './lfs-pointer.ts';

/** Files by their paths inside one folder: on a disk, on a server, or picked by a person. */
export interface FileTree {
  /** Null where there is no such file. */
  open(path: string): Promise<ByteSource | null>;
  /** The paths of its files; null where that cannot be known. Absent like null. */
  list?(): Promise<string[] | null>;
}

/** Files that a person picked or dropped, by their paths. */
export function blobTree(blobs: ReadonlyMap<string, Blob>): FileTree {
  return {
    open: async (path) => {
      const blob = blobs.get(path);
      if (!blob) return null;
      const source = blobSource(blob);
      await refusePointer(path, source);
      return source;
    },
    list: () => Promise.resolve([...blobs.keys()]),
  };
}

export interface UrlTreeOptions extends HttpSourceOptions {
  /** Sent with every request, e.g. an access token. */
  headers?: Readonly<Record<string, string>>;
  /** Such as `?signature=…`: added to every file's address. */
  query?: string;
  /** Asks the server which files there are. */
  list?: () => Promise<string[] | null>;
}

/**
 * Each file is opened once.
 *
 * @param baseUrl ends with a slash, e.g. `https://hub.example/owner/model/resolve/main/`
 */
export function urlTree(baseUrl: string, options: UrlTreeOptions = {}): FileTree {
  const { headers = {}, query = '', list, ...http } = options;
  const opened = new Map<string, Promise<ByteSource | null>>();

  async function open(path: string): Promise<ByteSource | null> {
    const source = await openHttpSource(new URL(path, baseUrl).href + query, headers, http);
    if (source) await refusePointer(path, source);
    return source;
  }

  return {
    open(path) {
      const opening = opened.get(path) ?? open(path);
      opened.set(path, opening);
      return opening;
    },
    ...(list && { list }),
  };
}

/** The files of one folder of a tree, by their paths inside it. `folder` is empty or ends with a slash. */
export function subTree(tree: FileTree, folder: string): FileTree {
  return {
    open: (path) => tree.open(folder + path),
    list: async () => {
      const paths = (await tree.list?.()) ?? null;
      return (
        paths &&
        paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length))
      );
    },
  };
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

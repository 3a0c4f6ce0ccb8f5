/** The shards folder as it is served: looked up at each request, since models come and go beside a running server. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { contentCopies, type ContentCopies } from './content-copies.ts';
import { contentType } from './content-type.ts';
import { revalidated, type ServedFile } from './served-file.ts';

/** A model's folder and a file in it; no dot at a segment's start, so no way up and no hidden file. */
const shardPath = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/;

/** Manifests and tokenizers shrink to a third; larger JSON than this is not worth the memory. */
const compressedUpToBytes = 64 * 1024 * 1024;

export type FindShardFile = (path: string) => Promise<ServedFile | null>;

/**
 * Finds `path` (relative, as in a URL) in the shards folder. Null for what is not there, is no plain file,
 * or lies outside the folder once links are followed.
 */
export function shardFinder(shardsDir: string, copiesDir: string): FindShardFile {
  const copies = new Map<string, Promise<ContentCopies>>();

  return async (path) => {
    if (!shardPath.test(path)) return null;
    const found = await locate(shardsDir, path);
    if (!found) return null;
    const tag = `${found.bytes.toString(36)}-${found.changedMs.toString(36)}`;
    const file = {
      whole: { path: found.path, bytes: found.bytes },
      compressed: {},
      type: contentType(path),
      tag,
      // Not by content in its name, so never immutable; a device keeps its pieces by hash itself.
      cacheControl: revalidated,
    };
    if (!path.endsWith('.json') || found.bytes > compressedUpToBytes) return file;
    const key = `${found.path} ${tag}`;
    const made =
      copies.get(key) ??
      readFile(found.path).then((content) => contentCopies(copiesDir, content, true));
    copies.set(key, made);
    const { whole, compressed, sha256 } = await made;
    return { ...file, whole, compressed, tag: sha256.slice(0, 32) };
  };
}

async function locate(
  shardsDir: string,
  path: string,
): Promise<{ path: string; bytes: number; changedMs: number } | null> {
  try {
    const root = await realpath(shardsDir);
    const real = await realpath(join(root, path));
    if (!real.startsWith(root + sep)) return null;
    const info = await stat(real);
    return info.isFile()
      ? { path: real, bytes: info.size, changedMs: Math.trunc(info.mtimeMs) }
      : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
}

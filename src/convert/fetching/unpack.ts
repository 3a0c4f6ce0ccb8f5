/** Extracts named files from a gzipped tar archive, as a stream. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

export interface UnpackOptions {
  /** Bytes of the archive read so far. */
  onProgress?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Writes the wanted files of an npm tarball under `folder`, by their paths without the first folder (usually
 * `package/`).
 *
 * @throws Error if one of them is not in the archive
 */
export async function unpack(
  archive: string,
  wanted: readonly string[],
  folder: string,
  { onProgress, signal }: UnpackOptions = {},
): Promise<void> {
  const missing = new Set(wanted);
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      onProgress?.(bytes);
      done(null, chunk);
    },
  });
  const entries = extract();
  const reading = pipeline(
    createReadStream(archive),
    counter,
    createGunzip(),
    entries,
    ...(signal ? [{ signal }] : []),
  );
  const writing = (async () => {
    for await (const entry of entries) {
      const path = entry.header.name.replace(/^[^/]+\//, '');
      if (entry.header.type !== 'file' || !missing.has(path)) {
        entry.resume();
        continue;
      }
      // Only names that were asked for are written, so the archive cannot choose a path.
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await pipeline(entry, createWriteStream(target));
      missing.delete(path);
    }
  })();
  await Promise.all([reading, writing]);
  if (missing.size > 0)
    throw new Error(`the package holds no ${[...missing].join(', ')}: it is not the one expected`);
}

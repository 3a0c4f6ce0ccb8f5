/**
 * Copies of files, as they are and compressed, kept under their content's hash: the next start, and the
 * next build of an unchanged file, find them ready, and a new build takes nothing from under a server
 * that still serves the one before.
 */
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { encodings, type Encoding } from './accept-encoding.ts';

export interface Copy {
  path: string;
  bytes: number;
}

export interface ContentCopies {
  sha256: string;
  whole: Copy;
  compressed: Partial<Record<Encoding, Copy>>;
}

/**
 * Brotli 9 brings ONNX Runtime's binaries from 14.2 and 26.8 MB to 2.7 and 4.6 MB in 1.3 and 2.6 s;
 * quality 10 would save another 0.9 MB and take 35 s of a first start.
 */
const quality: Record<Encoding, number> = { br: 9, gzip: 9 };
const keptUnusedMs = 30 * 24 * 60 * 60 * 1000;

const compress: Record<Encoding, (content: Buffer) => Promise<Buffer>> = {
  br: (content) =>
    promisify(brotliCompress)(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: quality.br,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.byteLength,
      },
    }),
  gzip: (content) => promisify(gzip)(content, { level: quality.gzip }),
};

/** The copies of `content` in `folder`, made where missing; none compressed that saves under a tenth. */
export async function contentCopies(
  folder: string,
  content: Buffer,
  compressible: boolean,
): Promise<ContentCopies> {
  const sha256 = createHash('sha256').update(content).digest('hex');
  await mkdir(folder, { recursive: true });
  const path = join(folder, sha256);
  if (!(await touch(path))) await writeWhole(path, content);
  const compressed: ContentCopies['compressed'] = {};
  for (const encoding of compressible ? encodings : []) {
    const copy = `${path}-${quality[encoding]}.${encoding}`;
    if (!(await touch(copy))) await writeWhole(copy, await compress[encoding](content));
    const { size } = await stat(copy);
    if (size < content.byteLength * 0.9) compressed[encoding] = { path: copy, bytes: size };
  }
  return { sha256, whole: { path, bytes: content.byteLength }, compressed };
}

/** Removes copies that no start has used for a month. */
export async function forgetUnusedCopies(folder: string, now: Date = new Date()): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const usedAt = (await stat(path)).mtimeMs;
    if (now.getTime() - usedAt > keptUnusedMs) await rm(path, { force: true });
  }
}

async function touch(path: string): Promise<boolean> {
  try {
    await access(path);
    await utimes(path, new Date(), new Date());
    return true;
  } catch {
    return false;
  }
}

/** Never leaves half a file under the final name. */
async function writeWhole(path: string, content: Buffer): Promise<void> {
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, content);
  await rename(partial, path);
}

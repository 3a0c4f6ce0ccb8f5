import type { ByteSource } from './byte-source.ts';

/** Pointers have some 130 bytes. */
const mostBytes = 1024;

/** Throws if the file is what Git leaves in its place where Git LFS is missing. */
export async function refusePointer(path: string, source: ByteSource): Promise<void> {
  if (source.bytes === 0 || source.bytes > mostBytes) return;
  const text = new TextDecoder().decode(await source.read(0, source.bytes));
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    throw new Error(
      `${path} is only Git LFS's note of where the file is: run "git lfs pull" in its folder, or ` +
        'download the file itself',
    );
}

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileSource } from './file-source.ts';
import type { FileTree } from './file-tree.ts';

/** A folder on this computer. Closing it closes every file opened from it. */
export function openFolderTree(folder: string): FileTree & { close: () => Promise<void> } {
  const opened: { close(): Promise<void> }[] = [];
  return {
    open: async (path) => {
      const file = join(folder, path);
      if (path.split(/[/\\]/).includes('..') || !(await isFile(file))) return null;
      const source = await openFileSource(file);
      opened.push(source);
      return source;
    },
    close: async () => {
      await Promise.all(opened.map((source) => source.close()));
    },
  };
}

export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

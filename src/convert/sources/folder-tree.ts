import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileSource } from './file-source.ts';
import type { FileTree } from './file-tree.ts';
import { refusePointer } from './lfs-pointer.ts';

/** A folder on this computer. */
export interface FolderTree extends FileTree {
  /** Paths of its files, those that lie least deep first. */
  list(): Promise<string[]>;
  /** Closes every file opened from it. */
  close: () => Promise<void>;
}

export function openFolderTree(folder: string): FolderTree {
  const opened: { close(): Promise<void> }[] = [];
  return {
    open: async (path) => {
      const file = join(folder, path);
      if (path.split(/[/\\]/).includes('..') || !(await isFile(file))) return null;
      const source = await openFileSource(file);
      opened.push(source);
      await refusePointer(path, source);
      return source;
    },
    list: () => listFiles(folder),
    close: async () => {
      await Promise.all(opened.map((source) => source.close()));
    },
  };
}

/** A folder of models has few files. A whole disk has too many to look at. */
const mostFiles = 20_000;

async function listFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  const folders = [''];
  for (const inner of folders) {
    // A folder that may not be read holds nothing for this person.
    const entries = await readdir(join(folder, inner), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
      const path = inner + entry.name;
      if (entry.isDirectory()) folders.push(`${path}/`);
      else if (entry.isFile() || (await isFile(join(folder, path)))) files.push(path);
    }
    if (files.length + folders.length > mostFiles) break;
  }
  return files;
}

export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

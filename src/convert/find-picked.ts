/** Finds the model among the files that a person picked or dropped. */
import type { CheckpointFile } from './checkpoint.ts';
import { ggufTitle } from './gguf/split-gguf.ts';
import { chooseModel } from './sources/choose-model.ts';
import { blobTree, subTree, type FileTree } from './sources/file-tree.ts';

/** `title`: the folder's or file's name. */
export type FoundPicked =
  | { kind: 'folder'; title: string; tree: FileTree }
  /** All parts in order. */
  | { kind: 'gguf'; title: string; files: CheckpointFile[] };

/**
 * Nothing is read from folders beside the model's own.
 *
 * @param files by their paths, or by their names where they have none
 * @throws Error that names the models if there are several, and says what to pick if there is none
 */
export async function findPicked(files: ReadonlyMap<string, Blob>): Promise<FoundPicked> {
  const byPath = new Map([...files].map(([path, blob]) => [plainPath(path), blob]));
  const chosen = chooseModel([...byPath.keys()]);
  const tree = blobTree(byPath);
  if (chosen.kind === 'folder') {
    const title = chosen.folder.split('/').at(-2) ?? 'A model of your own';
    return { kind: 'folder', title, tree: subTree(tree, chosen.folder) };
  }
  const parts = await Promise.all(
    chosen.paths.map(async (path, i) => {
      const source = await tree.open(path);
      if (!source) throw new Error(`${path} is missing: pick all parts of the model together`);
      return { path: `part-${i}.gguf`, source };
    }),
  );
  const title = ggufTitle(chosen.paths[0].replace(/^.*\//, ''));
  return { kind: 'gguf', title, files: parts };
}

/** A picker's and a drop's forms of the same path. */
function plainPath(path: string): string {
  return path.replaceAll('\\', '/').replace(/^(\.?\/)+/, '');
}

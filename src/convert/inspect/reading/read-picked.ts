/** What the files that a person picked or dropped say of their model. */
import type { ModelLabel } from '../../checkpoint.ts';
import { partsOf } from '../../gguf/split-gguf.ts';
import { openPicked } from '../../open-remote.ts';
import { blobSource } from '../../sources/byte-source.ts';
import { blobTree } from '../../sources/file-tree.ts';
import { noFacts, type ModelFacts } from './model-facts.ts';
import { readFolder } from './read-folder.ts';
import { readGguf } from './read-gguf.ts';
import { refusalOf } from './refusal-of.ts';

/** @param files by their names or paths */
export async function readPicked(
  files: ReadonlyMap<string, Blob>,
  label: ModelLabel,
): Promise<ModelFacts> {
  const byName = new Map([...files].map(([path, blob]) => [path.replace(/^.*\//, ''), blob]));
  const gguf = [...byName.keys()].find((name) => /\.gguf$/i.test(name));
  if (gguf === undefined) return readFolder(blobTree(byName), () => openPicked(files, label));
  const parts = partsOf(gguf).flatMap((path) => {
    const blob = byName.get(path);
    return blob ? [{ path, source: blobSource(blob) }] : [];
  });
  try {
    return await readGguf(parts, label);
  } catch (error) {
    return { ...noFacts('gguf'), refusal: refusalOf(error) };
  }
}

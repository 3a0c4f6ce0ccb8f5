/** Chooses the files of a Hugging Face folder that hold its weights, and reads where each tensor lies in them. */
import * as v from 'valibot';
import { relativePath } from '../../model/manifest.ts';
import type { CheckpointFile } from '../checkpoint.ts';
import { readJson, type FileTree } from '../sources/file-tree.ts';
import { readSafetensors, type StoredRange } from './safetensors.ts';

const maxIndexBytes = 64 << 20;

/** A tensor, and which of the checkpoint's files it lies in. */
export type LocatedTensor = StoredRange & { file: number };

const IndexSchema = v.looseObject({ weight_map: v.record(v.string(), relativePath) });

/** Each costs a request of its own; the largest published models have some two hundred. */
const maxWeightFiles = 1000;

export async function readWeights(tree: FileTree): Promise<{
  tensors: Map<string, LocatedTensor>;
  files: CheckpointFile[];
}> {
  const tensors = new Map<string, LocatedTensor>();
  const files: CheckpointFile[] = [];
  for (const path of await weightPaths(tree)) {
    const source = await tree.open(path);
    if (!source) throw new Error(`${path} is missing, though the model's index names it`);
    for (const [name, range] of await readSafetensors(source, path)) {
      if (tensors.has(name)) throw new Error(`${path}: ${name} is in another file as well`);
      tensors.set(name, { ...range, file: files.length });
    }
    files.push({ path, source });
  }
  return { tensors, files };
}

async function weightPaths(tree: FileTree): Promise<string[]> {
  const indexPath = 'model.safetensors.index.json';
  const index = await readJson(tree, indexPath, maxIndexBytes);
  if (!index) {
    if (await tree.open('model.safetensors')) return ['model.safetensors'];
    throw new Error(
      'there is neither model.safetensors nor model.safetensors.index.json: ' +
        'from a Hugging Face folder only safetensors can be read; if it holds GGUF files, name one of them',
    );
  }
  const checked = v.safeParse(IndexSchema, index.json);
  if (!checked.success)
    throw new Error(`${indexPath} has no weight_map of tensors and files of this folder`);
  const paths = [...new Set(Object.values(checked.output.weight_map))].sort();
  if (paths.length > maxWeightFiles)
    throw new Error(
      `${indexPath} names ${paths.length} files, where at most ${maxWeightFiles} are expected`,
    );
  return paths;
}

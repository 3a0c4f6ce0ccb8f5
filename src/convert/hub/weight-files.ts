/** Chooses the files of a Hugging Face folder that hold its weights, and reads where each tensor lies in them. */
import * as v from 'valibot';
import { relativePath } from '../../model/manifest.ts';
import type { CheckpointFile } from '../checkpoint.ts';
import { readJson, type FileTree } from '../sources/file-tree.ts';
import { refuseQuantisedTensors, type NamedTensor } from './foreign-quantisation.ts';
import { readSafetensors, type StoredRange } from './safetensors.ts';

/** A tensor, and which of the checkpoint's files it lies in. */
export type LocatedTensor = StoredRange & { file: number };

/** @throws Error that names the file, tensor or index at fault, or what the folder holds instead of weights */
export async function readWeights(tree: FileTree): Promise<{
  tensors: Map<string, LocatedTensor>;
  /** Tensors of types that cannot be read, by name. */
  leftOut: Map<string, NamedTensor>;
  files: CheckpointFile[];
}> {
  const tensors = new Map<string, LocatedTensor>();
  const leftOut = new Map<string, NamedTensor>();
  const leave = (tensor: NamedTensor): void => void leftOut.set(tensor.name, tensor);
  const files = await weightFiles(tree);
  for (const [file, { path, source }] of files.entries())
    for (const [name, range] of await readSafetensors(source, path, leave)) {
      if (tensors.has(name)) throw new Error(`${path}: ${name} is in another file as well`);
      tensors.set(name, { ...range, file });
    }
  refuseQuantisedTensors([
    ...leftOut.values(),
    ...[...tensors].map(([name, { dtype }]) => ({ name, dtype })),
  ]);
  return { tensors, leftOut, files };
}

const wholePath = 'model.safetensors';
const indexPath = 'model.safetensors.index.json';

/**
 * `model.safetensors` if it is there, whatever an index beside it says, and else the files that the index names
 * (transformers, modeling_utils.py: SAFE_WEIGHTS_NAME comes before SAFE_WEIGHTS_INDEX_NAME).
 *
 * @throws Error that says what the folder holds instead, or which file is missing
 */
export async function weightFiles(tree: FileTree): Promise<CheckpointFile[]> {
  const whole = await tree.open(wholePath);
  if (whole) return [{ path: wholePath, source: whole }];
  const named = await indexedPaths(tree);
  if (!named) throw noWeights(await pathsInstead(tree));
  const files: CheckpointFile[] = [];
  for (const path of named) {
    const source = await tree.open(path);
    if (!source) throw new Error(`${path} is missing, though the model's index names it`);
    files.push({ path, source });
  }
  return files;
}

const maxIndexBytes = 64 << 20;
const IndexSchema = v.looseObject({ weight_map: v.record(v.string(), relativePath) });

/** Each costs a request of its own; the largest published models have some two hundred. */
const maxWeightFiles = 1000;

/** Null where there is no index. */
async function indexedPaths(tree: FileTree): Promise<string[] | null> {
  const index = await readJson(tree, indexPath, maxIndexBytes);
  if (!index) return null;
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

/** Weights that are not read, and what to take instead. The first that fits is said. */
const otherWeights: { pattern: RegExp; what: string; instead: string }[] = [
  {
    pattern:
      /^(model|diffusion_pytorch_model)\.[\w-]+\.safetensors$|\.safetensors\.index\.[\w-]+\.json$/,
    what: 'a variant of the weights',
    instead: `rename it to ${wholePath} if it is the one you want, and an index to ${indexPath}`,
  },
  {
    pattern: /^adapter_model\.(safetensors|bin)$/,
    what: 'an adapter, which changes another model',
    instead: 'merge it into its base model, or take a repository with the merged model',
  },
  {
    pattern: /^consolidated.*\.(safetensors|pth)$/,
    what: "weights in their maker's own layout",
    instead: `take the repository of the same model that has ${wholePath}; its name often ends with -hf`,
  },
  {
    pattern: /^pytorch_model.*\.bin(\.index\.json)?$|\.(pt|pth)$/,
    what: 'weights as pickled PyTorch, which can run any program',
    instead: `take a repository or revision with ${wholePath}, or save the model anew with save_pretrained`,
  },
  {
    pattern: /\.gguf$/i,
    what: 'GGUF',
    instead: 'give that file itself, or owner/name:Q4_K_M on a hub',
  },
  {
    pattern: /\.(h5|msgpack|onnx|npz|ot|tflite|mlmodel)$/,
    what: 'weights for another program',
    instead: `take a repository with ${wholePath}`,
  },
  {
    pattern: /\.safetensors(\.index\.json)?$/,
    what: 'weights under another name',
    instead: `rename it to ${wholePath} if it holds the whole model`,
  },
  {
    pattern: /\.(safetensors|gguf)\.\w+$/i,
    what: 'a download that has not ended',
    instead: 'download it again',
  },
];

/** Files that may lie in a folder whose files cannot be listed. */
const likelyPaths = [
  'model.fp16.safetensors',
  'consolidated.safetensors',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'adapter_model.safetensors',
];

async function pathsInstead(tree: FileTree): Promise<string[]> {
  const listed = (await tree.list?.()) ?? null;
  if (listed) return listed.filter((path) => !path.includes('/'));
  const found = await Promise.all(
    likelyPaths.map(async (path) => ((await tree.open(path)) ? [path] : [])),
  );
  return found.flat();
}

function noWeights(paths: readonly string[]): Error {
  const neither = `there is neither ${wholePath} nor ${indexPath}`;
  for (const { pattern, what, instead } of otherWeights) {
    const path = paths.find((candidate) => pattern.test(candidate));
    if (path !== undefined)
      return new Error(`${neither}, but ${path}, which is ${what}: ${instead}`);
  }
  return new Error(
    `${neither}: from a Hugging Face folder only safetensors can be read; if it holds GGUF files, ` +
      'name one of them',
  );
}

/** Opens the checkpoint at a path, and detects its format. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { relativePath } from '../model/manifest.ts';
import type { ByteSource } from './sources/byte-source.ts';
import { labelFor, type Checkpoint, type CheckpointFile, type ModelLabel } from './checkpoint.ts';
import { openFileSource } from './sources/file-source.ts';
import { chooseModel } from './sources/choose-model.ts';
import { subTree, type FileTree } from './sources/file-tree.ts';
import { isFile, openFolderTree, type FolderTree } from './sources/folder-tree.ts';
import { refusePointer } from './sources/lfs-pointer.ts';
import { openGguf } from './gguf/gguf-model.ts';
import { openHubModel } from './hub/hub-model.ts';
import { openLlama2c } from './llama2c/llama2c.ts';
import { openOnnxInt8 } from './onnx/onnx-int8.ts';
import { ggufTitle, partsOf } from './gguf/split-gguf.ts';

export interface OpenedCheckpoint {
  checkpoint: Checkpoint;
  close: () => Promise<void>;
}

/**
 * @param input a Hugging Face folder, a GGUF file (any part of a split one), or a llama2.c `.bin` file (with
 *   its `tokenizer.bin` beside it, if there is one)
 * @throws Error that says what was found instead
 */
export async function openCheckpointAt(
  input: string,
  label: Partial<ModelLabel> = {},
): Promise<OpenedCheckpoint> {
  const name = label.name ?? modelNameOf(input);
  const full: ModelLabel = { title: name, licence: 'unknown', ...label, name };
  const kind = await kindOf(input);
  switch (kind) {
    case 'folder':
      return openFolder(input, full);
    case 'gguf':
      return asCheckpoint(openGgufFiles(input, (files) => openGguf(files, full)));
    case 'llama2.c': {
      const tokenizer = join(dirname(input), 'tokenizer.bin');
      const paths = (await isFile(tokenizer)) ? [input, tokenizer] : [input];
      return openFiles(paths, (sources) => openLlama2c(sources[0], sources.at(1) ?? null, full));
    }
  }
}

/** ONNX files to look for in a folder without safetensors. */
const onnxPaths = ['onnx/model_quantized.onnx', 'model_quantized.onnx', 'onnx/model_int8.onnx'];

/**
 * Opens a folder with a model: the Hugging Face model, int8 ONNX model or GGUF file that lies least deep in it.
 */
export async function openFolder(folder: string, label: ModelLabel): Promise<OpenedCheckpoint> {
  const tree = openFolderTree(folder);
  try {
    return { checkpoint: await openFound(tree, label), close: tree.close };
  } catch (error) {
    await tree.close();
    throw error;
  }
}

async function openFound(tree: FolderTree, label: ModelLabel): Promise<Checkpoint> {
  const chosen = chooseModel(await tree.list());
  if (chosen.kind === 'folder') return openInFolder(subTree(tree, chosen.folder), label);
  const files = await Promise.all(
    chosen.paths.map(async (path, i) => {
      const source = await tree.open(path);
      if (!source) throw new Error(`${path} is missing: all parts of the model belong together`);
      return { path: manifestPath(path, i), source };
    }),
  );
  return openGguf(files, label);
}

async function openInFolder(tree: FileTree, label: ModelLabel): Promise<Checkpoint> {
  const weights = ['model.safetensors', 'model.safetensors.index.json'];
  const paths = new Set(await tree.list?.());
  const onnx = onnxPaths.find((path) => paths.has(path));
  if (onnx !== undefined && !weights.some((path) => paths.has(path)))
    return openOnnxInt8(tree, onnx, label);
  return openHubModel(tree, label);
}

/** What was read of files that are open until it is closed. */
export interface Opened<Result> {
  result: Result;
  close: () => Promise<void>;
}

/** Opens a GGUF file, or all parts of a split one, under the paths that a manifest gives them. */
export function openGgufFiles<Result>(
  input: string,
  open: (files: CheckpointFile[]) => Promise<Result>,
): Promise<Opened<Result>> {
  const paths = partsOf(basename(input)).map((part) => join(dirname(input), part));
  return openAll(paths, (sources) =>
    open(sources.map((source, i) => ({ path: manifestPath(paths[i], i), source }))),
  );
}

async function asCheckpoint(opening: Promise<Opened<Checkpoint>>): Promise<OpenedCheckpoint> {
  const { result: checkpoint, close } = await opening;
  return { checkpoint, close };
}

/** Opens files and the checkpoint that they form; closing it closes them. */
export function openFiles(
  paths: string[],
  open: (sources: ByteSource[]) => Promise<Checkpoint>,
): Promise<OpenedCheckpoint> {
  return asCheckpoint(openAll(paths, open));
}

async function openAll<Result>(
  paths: string[],
  open: (sources: ByteSource[]) => Promise<Result>,
): Promise<Opened<Result>> {
  const opened: (ByteSource & { close(): Promise<void> })[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((source) => source.close()));
  };
  try {
    for (const path of paths) {
      const source = await openFileSource(path);
      opened.push(source);
      await refusePointer(basename(path), source);
    }
    return { result: await open(opened), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function kindOf(input: string): Promise<'folder' | 'gguf' | 'llama2.c'> {
  const found = await stat(input).catch(() => null);
  if (!found) throw new Error(`there is nothing at ${input}`);
  if (found.isDirectory()) return 'folder';
  if (/\.gguf$/i.test(input)) return 'gguf';
  if (/\.bin$/i.test(input)) return 'llama2.c';
  throw new Error(
    `${input} is no checkpoint that can be read: give a Hugging Face folder, a .gguf file or a ` +
      'llama2.c .bin file',
  );
}

/** A model's name, made of its file's or folder's: letters, digits, dots, dashes. */
export function modelNameOf(input: string): string {
  return labelFor(ggufTitle(basename(input)).replace(/\.bin$/i, '')).name;
}

/** The file's own name, if a manifest allows it. */
function manifestPath(path: string, index: number): string {
  const name = basename(path);
  return v.is(relativePath, name) ? name : `part-${index}.gguf`;
}

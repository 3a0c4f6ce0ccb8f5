/** A model on this computer, by the path of its folder or of one of its files. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { errorMessage } from '../../../base/error-message.ts';
import { isRecord } from '../../../base/is-record.ts';
import type { Checkpoint, ModelLabel } from '../../checkpoint.ts';
import { modelNameOf, openCheckpointAt, openFolder, openGgufFiles } from '../../open-checkpoint.ts';
import { chooseModel, type ChosenModel } from '../../sources/choose-model.ts';
import { openFolderTree } from '../../sources/folder-tree.ts';
import { checkpointFacts } from './checkpoint-facts.ts';
import { noFacts, type ModelFacts } from './model-facts.ts';
import { readFolder } from './read-folder.ts';
import { readGguf, readMetadataJson } from './read-gguf.ts';
import { readShards } from './read-shards.ts';

export type PathKind =
  | { kind: 'folder' | 'shards' | 'gguf' | 'llama2.c'; path: string }
  /** GGUF metadata written out as JSON. */
  | { kind: 'metadata'; path: string };

/** Files of a folder in Hugging Face's layout, any of which stands for the folder. */
const folderFiles = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'chat_template.jinja',
  'model.safetensors',
  'model.safetensors.index.json',
];
const weightFiles = /\.(safetensors|safetensors\.index\.json|bin|onnx|pt|pth|h5|msgpack)$/i;

/** Null where there is nothing at the path. */
export async function kindOfPath(path: string): Promise<PathKind | null> {
  const found = await stat(path).catch(() => null);
  if (!found) return null;
  if (found.isDirectory()) return kindOfFolder(path);
  const name = basename(path);
  if (folderFiles.includes(name)) return { kind: 'folder', path: dirname(path) };
  switch (extname(name).toLowerCase()) {
    case '.gguf':
      return { kind: 'gguf', path };
    case '.json':
      return (await isManifest(path))
        ? { kind: 'shards', path: dirname(path) }
        : { kind: 'metadata', path };
    case '.bin':
      return { kind: 'llama2.c', path };
    default:
      throw new Error(
        `${path} is no model: give a folder, a .gguf file, a manifest.json, or a JSON file of GGUF metadata`,
      );
  }
}

async function kindOfFolder(path: string): Promise<PathKind> {
  const names = await readdir(path);
  const hasManifest = names.includes('manifest.json') && !names.includes('config.json');
  // A cut model has a tokenizer.json as well.
  if (hasManifest && (await isManifest(join(path, 'manifest.json'))))
    return { kind: 'shards', path };
  const chosen = await chosenIn(path);
  if (chosen) {
    const { kind } = chosen;
    return { kind, path: join(path, kind === 'folder' ? chosen.folder : chosen.paths[0]) };
  }
  const isTokenizer = names.some((name) => folderFiles.includes(name));
  if (!isTokenizer && names.includes('metadata.json'))
    return { kind: 'metadata', path: join(path, 'metadata.json') };
  return { kind: 'folder', path };
}

/**
 * The model of a folder, as opening it finds it; null where it has neither a configuration nor a GGUF file.
 *
 * @throws Error where there are several
 */
async function chosenIn(path: string): Promise<ChosenModel | null> {
  const tree = openFolderTree(path);
  const paths = await tree.list();
  return paths.some((file) => /(^|\/)config\.json$|\.gguf$/i.test(file))
    ? chooseModel(paths)
    : null;
}

async function isManifest(path: string): Promise<boolean> {
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isRecord(json) && (json['format'] === 'edgeshard' || 'layers' in json);
  } catch {
    return false;
  }
}

export async function readPath({ kind, path }: PathKind): Promise<ModelFacts> {
  switch (kind) {
    case 'folder':
      return readFolderAt(path);
    case 'shards': {
      const tree = openFolderTree(path);
      try {
        return await readShards(tree, 'manifest.json');
      } finally {
        await tree.close();
      }
    }
    case 'gguf':
      return readGgufAt(path);
    case 'metadata':
      return readMetadataAt(path);
    case 'llama2.c': {
      const { checkpoint, close } = await openCheckpointAt(path);
      try {
        return await checkpointFacts(checkpoint, null);
      } finally {
        await close();
      }
    }
  }
}

async function readFolderAt(path: string): Promise<ModelFacts> {
  const tree = openFolderTree(path);
  const hasWeights = (await readdir(path)).some(
    (name) => weightFiles.test(name) || name === 'onnx',
  );
  let close = (): Promise<void> => Promise.resolve();
  const openWhole = async (): Promise<Checkpoint> => {
    const opened = await openFolder(path, labelOf(path));
    close = opened.close;
    return opened.checkpoint;
  };
  try {
    return await readFolder(tree, hasWeights ? openWhole : null);
  } finally {
    await tree.close();
    await close();
  }
}

async function readGgufAt(path: string): Promise<ModelFacts> {
  try {
    const { result, close } = await openGgufFiles(path, (files) => readGguf(files, labelOf(path)));
    await close();
    return result;
  } catch (error) {
    return { ...noFacts('gguf'), refusal: errorMessage(error) };
  }
}

async function readMetadataAt(path: string): Promise<ModelFacts> {
  const text = await readFile(path, 'utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${basename(path)} is not complete JSON (${errorMessage(error)})`, {
      cause: error,
    });
  }
  return readMetadataJson(json, basename(path));
}

function labelOf(path: string): ModelLabel {
  const name = modelNameOf(path);
  return { name, title: name, licence: 'unknown' };
}

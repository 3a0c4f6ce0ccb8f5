/** Finds the model among the files of a folder, wherever the folder lies: picked, dropped, on a disk, on a hub. */
import { ggufModels, isBesideModel, isGgufPath, partPaths } from './gguf-files.ts';

export type ChosenModel =
  /** A folder in Hugging Face's layout: empty, or ending with a slash. */
  | { kind: 'folder'; folder: string }
  /** A GGUF file, or all parts of a split one in order. */
  | { kind: 'gguf'; paths: string[] };

/**
 * The model is the shallowest folder that has a `config.json`, or the shallowest GGUF file if that lies less
 * deep, or if that folder has no safetensors. Files of other folders are none of it.
 *
 * @param paths of the files, with slashes
 * @throws Error that names the models if there are several, and says what to pick if there is none
 */
export function chooseModel(paths: readonly string[]): ChosenModel {
  const around = folderAround(paths);
  const own = paths.filter((path) => !isJunk(path.slice(around.length)));
  const folders = shallowest(own.filter((path) => /(^|\/)config\.json$/.test(path)).map(folderOf));
  const models = shallowest(ggufModels(own));
  if (folders.length > 0 && !(models.length > 0 && depth(models[0]) < depth(folders[0]))) {
    if (folders.length > 1)
      throw new Error(
        `there are ${folders.length} models: ${listed(folders.map((folder) => `"${shown(folder)}"`))} each have a ` +
          'config.json: pick one of these folders',
      );
    const [folder] = folders;
    const beside = own.filter((path) => folderOf(path) === folder);
    const isGguf = ggufModels(beside).length > 0 && !beside.some(isSafetensors);
    if (!isGguf) return { kind: 'folder', folder };
  }
  if (models.length === 0) throw nothingFound(own);
  if (models.length > 1) throw new Error(`pick one model at a time, not ${listed(models)}`);
  return { kind: 'gguf', paths: partPaths(models[0]) };
}

/** The one folder that all files lie in, with a slash; it may have any name. Empty if there is none. */
function folderAround(paths: readonly string[]): string {
  const top = /^[^/]+\//.exec(paths.at(0) ?? '')?.[0] ?? '';
  return paths.every((path) => path.startsWith(top)) ? top : '';
}

/** Files of tools and systems: Git, macOS, and the hub's own client, which notes its downloads beside them. */
function isJunk(path: string): boolean {
  return path.split('/').some((name) => name.startsWith('.') || name === '__MACOSX');
}

function isSafetensors(path: string): boolean {
  return /\.safetensors(\.index\.json)?$/.test(path);
}

/** Those that lie least deep, each once. */
function shallowest(paths: readonly string[]): string[] {
  const least = Math.min(...paths.map(depth));
  return [...new Set(paths.filter((path) => depth(path) === least))];
}

function depth(path: string): number {
  return path.split('/').length;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function shown(folder: string): string {
  return folder.replace(/\/$/, '') || '.';
}

function listed(names: readonly string[]): string {
  const some = names.length > 8 ? [...names.slice(0, 8), `${names.length - 8} more`] : names;
  return some.length < 2 ? some.join() : `${some.slice(0, -1).join(', ')} and ${some.at(-1) ?? ''}`;
}

function nothingFound(paths: readonly string[]): Error {
  const beside = paths.find((path) => isGgufPath(path) && isBesideModel(path));
  if (beside !== undefined)
    return new Error(
      `${beside} belongs to a model and is none itself: pick the model's own GGUF file`,
    );
  const weights = paths.find((path) => /\.(safetensors|bin|pth?|onnx|npz|h5)$/i.test(path));
  const instead = weights === undefined ? '' : ` (there is ${weights})`;
  return new Error(
    `there is no config.json${instead}: this is not a Hugging Face model; give the folder that has ` +
      'config.json and the weights, or a GGUF file',
  );
}

/** Tells which of a folder's GGUF files are models, and finds the one that was asked for. */
import { escapeRegExp } from '../../base/escape-reg-exp.ts';
import { ggufTitle, partsOf } from '../gguf/split-gguf.ts';

/** Words in the names of files that belong to a model (llama.cpp, common/download.cpp, gguf_filename_is_model). */
const besideModels = /mmproj|imatrix|mtp-|eagle3-|dflash-|dspark-/;

export function isGgufPath(path: string): boolean {
  return /\.gguf$/i.test(path);
}

/** True for a GGUF file that is no model, such as a projector of images. */
export function isBesideModel(path: string): boolean {
  return besideModels.test(path.replace(/^.*\//, ''));
}

/**
 * The first file of each model among the paths, in their order. The parts of a split file are one model,
 * named by whichever comes first.
 */
export function ggufModels(paths: readonly string[]): string[] {
  const first = new Map<string, string>();
  for (const path of paths)
    if (isGgufPath(path) && !isBesideModel(path) && !first.has(ggufTitle(path)))
      first.set(ggufTitle(path), path);
  return [...first.values()];
}

/** Paths of all parts of the model that the file is part of, in order. */
export function partPaths(path: string): string[] {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return partsOf(path.slice(folder.length)).map((name) => folder + name);
}

/** Types that are taken where none is named, as llama.cpp does (common/download.cpp, find_best_model). */
const usualTypes = ['Q4_K_M', 'Q8_0'];

/**
 * Finds a model by the type of its weights, as llama.cpp's `-hf owner/name:QUANT` does: the first path with
 * that text before a dot or dash.
 *
 * @param quant such as `Q4_K_M`; empty for the usual types, or else any
 * @returns null if there is none
 */
export function findQuant(paths: readonly string[], quant: string): string | null {
  const models = ggufModels(paths);
  for (const type of quant === '' ? usualTypes : [quant]) {
    const pattern = new RegExp(`${escapeRegExp(type)}[.-]`, 'i');
    const found = models.find((path) => pattern.test(path));
    if (found !== undefined) return found;
  }
  return quant === '' ? (models.at(0) ?? null) : null;
}

/** The type that a file's name ends with, such as `Q4_K_M`; the whole name if it shows none. */
export function quantOf(path: string): string {
  const name = path.replace(/^.*\//, '');
  return (
    /[-.]((?:UD-)?(?:I?Q\d|BF16|F16|F32|MXFP|NVFP|TQ\d)\w*)$/i.exec(ggufTitle(name))?.[1] ?? name
  );
}

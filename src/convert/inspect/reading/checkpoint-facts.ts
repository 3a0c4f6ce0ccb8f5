/** What a model that opens says of itself. */
import { isRecord } from '../../../base/is-record.ts';
import { withControlMarks } from '../../../model/chat/prompt-reader.ts';
import { parseTokenizerText } from '../../../model/text/tokenizer-file.ts';
import type { Manifest } from '../../../model/manifest.ts';
import type { Checkpoint } from '../../checkpoint.ts';
import type { ByteSource } from '../../sources/byte-source.ts';
import { noFacts, tokenizerOfKind, weightsByType, type ModelFacts } from './model-facts.ts';

export function checkpointFacts(
  { manifest, sources }: Checkpoint,
  kind: ModelFacts['kind'],
): Promise<ModelFacts> {
  const read = (path: string): Promise<ByteSource | null> =>
    Promise.resolve(sources.at(manifest.files.findIndex((file) => file.path === path)) ?? null);
  return manifestFacts(manifest, read, kind);
}

/** @param sourceOf where a file of the manifest is read; null where it is not there */
export async function manifestFacts(
  manifest: Manifest,
  sourceOf: (path: string) => Promise<ByteSource | null>,
  kind: ModelFacts['kind'],
): Promise<ModelFacts> {
  const { config } = manifest;
  const document = await readTokenizer(manifest, sourceOf);
  return {
    ...noFacts(kind),
    family: config.model_type,
    config,
    weights: weightsOf(manifest),
    bytes: bytesOf(manifest),
    tokenizer: document === null ? null : withControlMarks(manifest.chatTemplate, document),
    tokenizerKind: tokenizerOfKind(modelTypeOf(document)),
    stopIds: config.eos_token_id,
    chatTemplate: manifest.chatTemplate,
    specialTokens: manifest.specialTokens ?? {},
    sampling: manifest.sampling ?? {},
  };
}

/** The type of the model in a parsed `tokenizer.json`; files may leave it out, as BPE alone could be meant. */
export function modelTypeOf(document: unknown): string | null {
  if (!isRecord(document) || !isRecord(document['model'])) return null;
  const { type } = document['model'];
  return typeof type === 'string' ? type : 'BPE';
}

async function readTokenizer(
  { tokenizer }: Manifest,
  sourceOf: (path: string) => Promise<ByteSource | null>,
): Promise<unknown> {
  if (tokenizer === null) return null;
  const source = await sourceOf(tokenizer);
  if (!source) throw new Error(`${tokenizer} is missing, though the model's manifest names it`);
  return parseTokenizerText(new TextDecoder().decode(await source.read(0, source.bytes)));
}

/** A head that shares the embedding's bytes counts once. */
function weightsOf({ layers }: Manifest): ModelFacts['weights'] {
  const tensors = layers.flatMap((layer) => layer.tensors);
  const byPlace = new Map(tensors.map((tensor) => [`${tensor.file} ${tensor.offset}`, tensor]));
  return weightsByType(byPlace.values());
}

/** Of the files that hold tensors: a tokenizer may have been made from a GGUF file's own tables. */
function bytesOf({ layers, files }: Manifest): number {
  const used = new Set(layers.flatMap(({ tensors }) => tensors.map(({ file }) => file)));
  return [...used].reduce((sum, file) => sum + files[file].bytes, 0);
}

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
  const source = await tokenizerSource(manifest, sourceOf);
  const tokenizer = source && (await tokenizerFacts(source, manifest.chatTemplate));
  return {
    ...noFacts(kind),
    family: config.model_type,
    config,
    weights: weightsOf(manifest),
    bytes: bytesOf(manifest),
    ...tokenizer,
    stopIds: config.eos_token_id,
    chatTemplate: manifest.chatTemplate,
    specialTokens: manifest.specialTokens ?? {},
    sampling: manifest.sampling ?? {},
  };
}

const maxTokenizerBytes = 64 << 20;

/** @throws Error that says what is wrong with the tokenizer */
export async function tokenizerFacts(
  source: ByteSource,
  chatTemplate: string | null,
): Promise<Pick<ModelFacts, 'tokenizer' | 'tokenizerKind'>> {
  if (source.bytes > maxTokenizerBytes)
    throw new Error(
      `tokenizer.json has ${source.bytes} bytes, where at most ${maxTokenizerBytes} are expected`,
    );
  const bytes = await source.read(0, source.bytes);
  const document = parseTokenizerText(new TextDecoder().decode(bytes));
  return {
    tokenizer: withControlMarks(chatTemplate, document),
    tokenizerKind: tokenizerOfKind(modelTypeOf(document)),
  };
}

/** The type of the model in a parsed `tokenizer.json`; files may leave it out, as BPE alone could be meant. */
function modelTypeOf(document: unknown): string | null {
  if (!isRecord(document) || !isRecord(document['model'])) return null;
  const { type } = document['model'];
  return typeof type === 'string' ? type : 'BPE';
}

async function tokenizerSource(
  { tokenizer }: Manifest,
  sourceOf: (path: string) => Promise<ByteSource | null>,
): Promise<ByteSource | null> {
  if (tokenizer === null) return null;
  const source = await sourceOf(tokenizer);
  if (!source) throw new Error(`${tokenizer} is missing, though the model's manifest names it`);
  return source;
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

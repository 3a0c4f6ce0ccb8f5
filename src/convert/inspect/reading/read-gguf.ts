/** What a GGUF file, or a JSON file of GGUF metadata, says of its model. */
import * as v from 'valibot';
import { errorMessage } from '../../../base/error-message.ts';
import { withControlMarks } from '../../../model/chat/prompt-reader.ts';
import type { CheckpointFile, ModelLabel } from '../../checkpoint.ts';
import { ggufConfig } from '../../gguf/gguf-config.ts';
import { readGgufHeader, readGgufMetadata, type GgufValue } from '../../gguf/gguf-header.ts';
import { metadataOf, type Metadata } from '../../gguf/gguf-metadata.ts';
import { openGguf } from '../../gguf/gguf-model.ts';
import { ggufSpecialTokens, stopTokens, withControlTokens } from '../../gguf/gguf-stop-tokens.ts';
import { ggufTokenizer, ggufTokenizerFacts } from '../../gguf/gguf-tokenizer.ts';
import { checkpointFacts } from './checkpoint-facts.ts';
import { noFacts, weightsByType, type ModelFacts } from './model-facts.ts';

/** @param files one file, or all parts of a split one in order */
export async function readGguf(
  files: readonly CheckpointFile[],
  label: ModelLabel,
): Promise<ModelFacts> {
  try {
    const facts = await checkpointFacts(await openGguf([...files], label), 'gguf');
    return { ...facts, ...namesOf(await metadataIn(files[0])) };
  } catch (error) {
    return readRefused(files, errorMessage(error));
  }
}

const MetadataSchema = v.record(
  v.string(),
  v.custom<GgufValue>(
    (value) => isGgufValue(value),
    'a number, a text, true or false, or a list of these',
  ),
);

/**
 * @param json keys to values, arrays as arrays, such as a GGUF file's metadata written out
 * @throws Error if it is not that
 */
export function readMetadataJson(json: unknown, path: string): ModelFacts {
  const checked = v.safeParse(MetadataSchema, json);
  const values = checked.success ? new Map(Object.entries(checked.output)) : null;
  if (!values || ![...values.keys()].some((key) => /^(general|tokenizer)\./.test(key)))
    throw new Error(
      `${path} holds no GGUF metadata: an object of keys such as general.architecture is expected`,
    );
  return metadataFacts(metadataOf(values, path), path, !needsTensors(values));
}

/** Everything by itself: a part that is refused does not hide the others. */
async function readRefused(files: readonly CheckpointFile[], refusal: string): Promise<ModelFacts> {
  const [{ path }] = files;
  const bytes = files.reduce((sum, { source }) => sum + source.bytes, 0);
  try {
    const facts = metadataFacts(await metadataIn(files[0]), path);
    return { ...facts, bytes, weights: await weightsIn(files), refusal };
  } catch {
    return { ...noFacts('gguf'), bytes, refusal };
  }
}

/** The lists of longrope lie in tensors, which metadata alone does not have. */
function needsTensors(values: ReadonlyMap<string, GgufValue>): boolean {
  return (
    values.get(`${String(values.get('general.architecture'))}.rope.scaling.type`) === 'longrope'
  );
}

function metadataFacts(metadata: Metadata, path: string, tellsConfig = true): ModelFacts {
  const problems: string[] = [];
  const attempt = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      problems.push(errorMessage(error));
      return null;
    }
  };
  const names = attempt(() => namesOf(metadata));
  const figures = attempt(() => figuresOf(metadata)) ?? {};
  const facts = {
    vocabSize: figures.vocabularySize ?? 1,
    hasOutput: true,
    rotaryFactors: { perPair: null, short: null, long: null },
    hasAttentionBias: false,
    hasFeedForwardBias: false,
  };
  const config =
    (names?.family ?? null) === null || !tellsConfig
      ? null
      : attempt(() => ggufConfig(metadata, facts, path));
  const document = attempt(() => ggufTokenizer(metadata, path));
  const chatTemplate = attempt(() => metadata.text('tokenizer.chat_template') ?? null);
  const tokenizer =
    document &&
    attempt(() => withControlMarks(chatTemplate, withControlTokens(document, metadata)));
  return {
    ...noFacts('gguf'),
    ...names,
    config,
    figures,
    tokenizer,
    stopIds: config?.eos_token_id ?? attempt(() => stopTokens(metadata)),
    chatTemplate,
    specialTokens: attempt(() => ggufSpecialTokens(metadata)) ?? {},
    refusal: problems.at(0) ?? null,
  };
}

async function metadataIn({ source, path }: CheckpointFile): Promise<Metadata> {
  return metadataOf(await readGgufMetadata(source, path), path);
}

function namesOf(metadata: Metadata): Pick<ModelFacts, 'family' | 'tokenizerKind'> {
  const { kind, pre, bosId, addsBos } = ggufTokenizerFacts(metadata);
  const tokens = metadata.texts('tokenizer.ggml.tokens') ?? null;
  const bos = bosId === null ? null : (tokens?.at(bosId) ?? null);
  return {
    family: metadata.text('general.architecture') ?? null,
    tokenizerKind: { kind, pre, bos, addsBos: tokens && addsBos },
  };
}

function figuresOf(metadata: Metadata): ModelFacts['figures'] {
  const architecture = metadata.text('general.architecture') ?? '';
  const figure = (key: string): number | null => metadata.number(`${architecture}.${key}`) ?? null;
  return {
    layers: figure('block_count'),
    hiddenSize: figure('embedding_length'),
    vocabularySize: metadata.texts('tokenizer.ggml.tokens')?.length ?? figure('vocab_size') ?? null,
    contextLength: figure('context_length'),
  };
}

/** Null where the tensors cannot be read; the refusal says why. */
async function weightsIn(files: readonly CheckpointFile[]): Promise<ModelFacts['weights']> {
  try {
    const tensors: { dtype: string; bytes: number }[] = [];
    for (const { source, path } of files)
      tensors.push(...(await readGgufHeader(source, path)).tensors.values());
    return weightsByType(tensors);
  } catch {
    return null;
  }
}

/** As deep as in a file. */
const deepestArray = 4;

function isGgufValue(value: unknown, depth = 0): boolean {
  return Array.isArray(value)
    ? depth < deepestArray && value.every((item) => isGgufValue(item, depth + 1))
    : ['number', 'string', 'boolean'].includes(typeof value);
}

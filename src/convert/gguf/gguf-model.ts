/** Opens a model in a GGUF file, or in the parts of a split one. */
import { finalNormName, layerTensors, type TensorShape } from '../../model/architecture.ts';
import type { ModelConfig } from '../../model/config.ts';
import { dequantise } from '../../model/numbers/dequantise.ts';
import type { ManifestTensor } from '../../model/manifest.ts';
import {
  checkpointOf,
  type Checkpoint,
  type CheckpointFile,
  type ModelLabel,
} from '../checkpoint.ts';
import { splitFused } from '../fused-tensors.ts';
import { ggufConfig, type GgufFacts } from './gguf-config.ts';
import { ggufFamily, type GgufFamily } from './gguf-families.ts';
import { readGgufHeader, type GgufHeader } from './gguf-header.ts';
import { metadataOf, type Metadata } from './gguf-metadata.ts';
import { hubNameOf } from './gguf-names.ts';
import type { RotaryFactors } from './gguf-rotary.ts';
import { ggufSpecialTokens, withControlTokens } from './gguf-stop-tokens.ts';
import { ggufTokenizer } from './gguf-tokenizer.ts';
import { jsonSource } from '../sources/json-source.ts';
import type { StoredRange } from '../hub/safetensors.ts';

type LocatedTensor = StoredRange & { file: number };

/**
 * @param files one file, or all parts of a split one in order (`…-00001-of-00003.gguf` first)
 * @throws Error that names the file, and the metadata or tensor at fault
 */
export async function openGguf(files: CheckpointFile[], label: ModelLabel): Promise<Checkpoint> {
  const headers: GgufHeader[] = [];
  for (const { source, path } of files) headers.push(await readGgufHeader(source, path));
  const [{ path }] = files;
  const metadata = metadataOf(headers[0].metadata, path);
  checkParts(files, headers);
  const family = ggufFamily(metadata, path);
  const tensors = gather(files, headers, family);
  const config = ggufConfig(metadata, await factsOf(files, tensors, metadata, path), path);
  splitFused(tensors, config);
  refuseUnknown(tensors, config, path);

  const tokenizer = ggufTokenizer(metadata, path);
  const licence =
    label.licence === 'unknown' ? (metadata.text('general.license') ?? 'unknown') : label.licence;
  return checkpointOf({
    label: { ...label, licence },
    config,
    layers: layerTensors(config).map((layer) => ({
      ...layer,
      tensors: layer.tensors.map((tensor) => find(tensor, tensors, family, path)),
    })),
    weights: files,
    tokenizer: tokenizer && jsonSource(withControlTokens(tokenizer, metadata)),
    chatTemplate: metadata.text('tokenizer.chat_template') ?? null,
    specialTokens: ggufSpecialTokens(metadata),
  });
}

/** Each part of a split file states its number and how many there are. */
function checkParts(files: CheckpointFile[], headers: GgufHeader[]): void {
  for (const [index, { metadata }] of headers.entries()) {
    const { path } = files[index];
    const part = metadataOf(metadata, path);
    const count = part.number('split.count') ?? 1;
    if (Math.max(1, count) !== files.length)
      throw new Error(
        `${path} is one of ${count} parts, and ${files.length} came: give all of them, in order`,
      );
    if (count > 1 && part.number('split.no') !== index)
      throw new Error(
        `${path} is part ${(part.number('split.no') ?? NaN) + 1} of ${count}, where part ` +
          `${index + 1} belongs`,
      );
  }
}

/** All tensors under their Hugging Face names; those of rotary factors keep their own. */
function gather(
  files: CheckpointFile[],
  headers: GgufHeader[],
  { computesAs }: GgufFamily,
): Map<string, LocatedTensor> {
  const tensors = new Map<string, LocatedTensor>();
  // Phi-3 has gate and up in one tensor, with the name of up.
  const fused = !headers.some((header) => header.tensors.has('blk.0.ffn_gate.weight'));
  for (const [file, header] of headers.entries())
    for (const [name, range] of header.tensors) {
      const hubName = hubNameOf(name, computesAs, fused) ?? name;
      if (tensors.has(hubName))
        throw new Error(`${files[file].path}: ${name} is in another part as well`);
      tensors.set(hubName, { ...range, file });
    }
  return tensors;
}

async function factsOf(
  files: CheckpointFile[],
  tensors: Map<string, LocatedTensor>,
  metadata: Metadata,
  path: string,
): Promise<GgufFacts> {
  const embedding = tensors.get('model.embed_tokens.weight');
  if (!embedding) throw new Error(`${path} lacks the tensor token_embd.weight`);
  const vocabulary = metadata.texts('tokenizer.ggml.tokens')?.length ?? 0;
  if (vocabulary > embedding.shape[0])
    throw new Error(
      `${path}: its vocabulary of ${vocabulary} is larger than its embedding of ${embedding.shape[0]}`,
    );
  return {
    vocabSize: embedding.shape[0],
    hasOutput: tensors.has('lm_head.weight'),
    rotaryFactors: await readFactors(files, tensors, path),
    hasAttentionBias: ['q', 'qkv'].some((name) =>
      tensors.has(`model.layers.0.self_attn.${name}_proj.bias`),
    ),
    hasFeedForwardBias: tensors.has('model.layers.0.mlp.gate_proj.bias'),
  };
}

const factorNames: Record<keyof RotaryFactors, string> = {
  perPair: 'rope_freqs.weight',
  short: 'rope_factors_short.weight',
  long: 'rope_factors_long.weight',
};

async function readFactors(
  files: CheckpointFile[],
  tensors: Map<string, LocatedTensor>,
  path: string,
): Promise<RotaryFactors> {
  const read = async (name: string): Promise<number[] | null> => {
    const tensor = tensors.get(name);
    if (!tensor) return null;
    if (tensor.bytes > 4096 || tensor.dtype !== 'F32')
      throw new Error(`${path}: ${name} is no short list of numbers`);
    const bytes = await files[tensor.file].source.read(tensor.offset, tensor.bytes);
    return Array.from(dequantise('F32', bytes));
  };
  return {
    perPair: await read(factorNames.perPair),
    short: await read(factorNames.short),
    long: await read(factorNames.long),
  };
}

function find(
  { name, shape }: TensorShape,
  tensors: Map<string, LocatedTensor>,
  { rotatesAdjacentPairs }: GgufFamily,
  path: string,
): ManifestTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`${path} lacks the tensor for ${name} (${shape.join(' × ')})`);
  const interleaved = rotatesAdjacentPairs && /self_attn\.[qk]_proj\./.test(name);
  return { name, ...tensor, ...(interleaved && { interleavedRotary: true }) };
}

/** Refuses tensors that no layer uses: without them the results would be wrong. */
function refuseUnknown(tensors: Map<string, unknown>, config: ModelConfig, path: string): void {
  const used = new Set(
    layerTensors(config).flatMap((layer) => layer.tensors.map(({ name }) => name)),
  );
  for (const name of [finalNormName, ...Object.values(factorNames)]) used.add(name);
  for (const name of tensors.keys())
    if (!used.has(name))
      throw new Error(
        `${path} holds ${name}, which ${config.model_type} does not use here: ` +
          'its results would be wrong',
      );
}

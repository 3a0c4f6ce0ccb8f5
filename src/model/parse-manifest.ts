/** Checks a manifest from outside: first its shape, then whether its parts agree with each other. */
import { errorMessage } from '../base/error-message.ts';
import * as v from 'valibot';
import { layerTensors } from './architecture.ts';
import { tensorBytes } from './numbers/dtype.ts';
import { inTodaysFormat } from './earlier-manifest.ts';
import { goldenBytes } from './golden.ts';
import {
  ManifestSchema,
  pieceBytes,
  type Manifest,
  type ManifestFile,
  type ManifestLayer,
  type ManifestTensor,
} from './manifest.ts';
import { architectures, isSupported } from './traits.ts';

/**
 * @throws Error with one sentence that names the place: a field of the wrong shape, a tensor outside its
 *   file, a size that does not follow from its type and shape, a layer that lacks a tensor, an unknown
 *   architecture.
 */
export function parseManifest(json: unknown): Manifest {
  const result = v.safeParse(ManifestSchema, inTodaysFormat(json), { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const place = v.getDotPath(issue) ?? 'its top level';
    throw new Error(`the manifest is broken or cut short: at ${place}, ${issue.message}`);
  }
  const manifest = result.output;
  checkArchitecture(manifest);
  manifest.files.forEach(checkFile);
  checkLayers(manifest);
  const { tokenizer } = manifest;
  if (tokenizer !== null && !manifest.files.some(({ path }) => path === tokenizer))
    throw new Error(
      `the manifest names the tokenizer "${tokenizer}", which is not among its files`,
    );
  checkGolden(manifest);
  return manifest;
}

/** The same from text. A manifest cut short in transit gets an error of its own. */
export function parseManifestText(text: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const reason = errorMessage(error);
    throw new Error(`the manifest is not complete JSON (${reason}): fetch or cut it again`, {
      cause: error,
    });
  }
  return parseManifest(json);
}

function checkArchitecture({ config, name }: Manifest): void {
  if (!isSupported(config.model_type))
    throw new Error(
      `the model "${name}" is a "${config.model_type}", an architecture that is not supported; ` +
        `these are: ${architectures.join(', ')}`,
    );
  if (config.num_attention_heads % config.num_key_value_heads !== 0)
    throw new Error(
      `the manifest's config has ${config.num_attention_heads} attention heads, ` +
        `not a multiple of its ${config.num_key_value_heads} key-value heads`,
    );
  if (config.head_dim % 2 !== 0)
    throw new Error(`the manifest's head_dim must be even for rotary, not ${config.head_dim}`);
  const { num_hidden_layers: blocks } = config;
  for (const field of ['layer_types', 'no_rope_layers'] as const) {
    const count = config[field]?.length ?? blocks;
    if (count !== blocks)
      throw new Error(
        `the manifest's config has ${field} for ${count} blocks, and ${blocks} blocks`,
      );
  }
}

function checkGolden({ golden, files, config }: Manifest): void {
  if (!golden) return;
  const { path, inputs } = golden;
  const file = files.find((candidate) => candidate.path === path);
  if (!file) throw new Error(`the manifest names "${path}", which is not among its files`);
  for (const ids of inputs)
    if (ids.length > config.max_position_embeddings || ids.some((id) => id >= config.vocab_size))
      throw new Error(
        `an input of "${path}" is too long for the model, or has ids it does not know`,
      );
  const bytes = goldenBytes(config, inputs);
  if (file.bytes !== bytes)
    throw new Error(`"${path}" should take ${bytes} bytes for its inputs, and has ${file.bytes}`);
}

function checkFile(file: ManifestFile): void {
  const pieces = Math.ceil(file.bytes / pieceBytes);
  if (file.pieceSha256 && file.pieceSha256.length !== pieces)
    throw new Error(
      `the manifest lists ${file.pieceSha256.length} piece hashes for "${file.path}", ` +
        `whose ${file.bytes} bytes make ${pieces} pieces`,
    );
}

function checkLayers({ config, layers, files }: Manifest): void {
  const expectedCount = config.num_hidden_layers + 2;
  if (layers.length !== expectedCount)
    throw new Error(
      `the manifest has ${layers.length} layers, but ${config.num_hidden_layers} blocks between ` +
        `embed and head make ${expectedCount}`,
    );
  for (const [index, expected] of layerTensors(config).entries()) {
    const layer = layers[index];
    if (layer.kind !== expected.kind)
      throw new Error(
        `layer ${index} of the manifest must be of kind "${expected.kind}", not "${layer.kind}"`,
      );
    for (const tensor of layer.tensors) checkTensor(tensor, layer, files);
    for (const { name, shape } of expected.tensors) {
      const tensor = layer.tensors.find((candidate) => candidate.name === name);
      if (!tensor)
        throw new Error(`layer "${layer.name}" of the manifest lacks the tensor ${name}`);
      if (tensor.shape.join() !== shape.join())
        throw new Error(
          `${name} should have the shape [${shape.join(', ')}] by the model's config, ` +
            `not [${tensor.shape.join(', ')}]`,
        );
    }
  }
}

function checkTensor(tensor: ManifestTensor, layer: ManifestLayer, files: ManifestFile[]): void {
  const place = `${tensor.name} in layer "${layer.name}"`;
  if (tensor.file >= files.length)
    throw new Error(`${place} lies in file ${tensor.file}, and there are ${files.length} files`);
  const file = files[tensor.file];
  const bytes = tensorBytes(tensor.dtype, tensor.shape);
  if (tensor.bytes !== bytes)
    throw new Error(
      `${place} claims ${tensor.bytes} bytes, but ${tensor.dtype} [${tensor.shape.join(', ')}] ` +
        `takes ${bytes}`,
    );
  if (tensor.offset + tensor.bytes > file.bytes)
    throw new Error(
      `${place} reaches to byte ${tensor.offset + tensor.bytes} of "${file.path}", ` +
        `which has ${file.bytes}`,
    );
}

import type { ModelConfig } from '../model/config.ts';
import type { Manifest, ManifestLayer } from '../model/manifest.ts';
import { parseManifest } from '../model/parse-manifest.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * A checkpoint as its author published it, described as a manifest over its own files: every tensor is a
 * byte range of one of them. It can be run from as it is, or cut into shards.
 */
export interface Checkpoint {
  manifest: Manifest;
  /** Where to read each of `manifest.files`, in the same order. */
  sources: ByteSource[];
}

/** What a format does not say of a model, and the person who reads it does. */
export interface ModelLabel {
  name: string;
  title: string;
  licence: string;
}

export interface CheckpointFile {
  /** As the manifest is to name it. */
  path: string;
  source: ByteSource;
}

export interface CheckpointParts {
  label: ModelLabel;
  config: ModelConfig;
  /** Of `weights`: a tensor names its file by its place among them. */
  layers: ManifestLayer[];
  weights: readonly CheckpointFile[];
  /** A Hugging Face `tokenizer.json`. */
  tokenizer: ByteSource | null;
  chatTemplate: string | null;
  sampling?: Record<string, number>;
}

/** @throws Error that names what of it a manifest cannot say */
export function checkpointOf(parts: CheckpointParts): Checkpoint {
  const { label, weights, tokenizer, ...rest } = parts;
  const path = 'tokenizer.json';
  const files = tokenizer ? [...weights, { path, source: tokenizer }] : weights;
  const manifest = parseManifest({
    format: 'edgeshard',
    version: 2,
    ...label,
    ...rest,
    files: files.map((file) => ({ path: file.path, bytes: file.source.bytes })),
    tokenizer: tokenizer ? path : null,
  });
  return { manifest, sources: files.map(({ source }) => source) };
}

import type { ModelConfig } from '../model/config.ts';
import type { Manifest, ManifestLayer, ManifestSpecialTokens } from '../model/manifest.ts';
import { parseManifest } from '../model/parse-manifest.ts';
import type { ByteSource } from './sources/byte-source.ts';

/**
 * A checkpoint as its author published it, with a manifest that describes its files: every tensor is a byte
 * range of one of them. A room can run it as it is, or it can be cut into shards.
 */
export interface Checkpoint {
  manifest: Manifest;
  /** Where to read each of `manifest.files`, in the same order. */
  sources: ByteSource[];
}

/** What the files of a checkpoint do not say about the model. */
export interface ModelLabel {
  name: string;
  title: string;
  licence: string;
}

/** The title as it is, and a name that a manifest may carry. */
export function labelFor(title: string): ModelLabel {
  const name = title.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return { name: name.slice(0, 128) || 'model', title, licence: 'unknown' };
}

export interface CheckpointFile {
  /** Its path in the manifest. */
  path: string;
  source: ByteSource;
}

export interface CheckpointParts {
  label: ModelLabel;
  config: ModelConfig;
  /** A tensor's `file` is an index into `weights`. */
  layers: ManifestLayer[];
  weights: readonly CheckpointFile[];
  /** A Hugging Face `tokenizer.json`. */
  tokenizer: ByteSource | null;
  chatTemplate: string | null;
  /** Spellings for the chat template; see the manifest. */
  specialTokens?: ManifestSpecialTokens;
  sampling?: Record<string, number>;
}

/** @throws Error that names the part that a manifest cannot describe */
export function checkpointOf(parts: CheckpointParts): Checkpoint {
  const { label, weights, tokenizer, ...rest } = parts;
  const path = 'tokenizer.json';
  const files = tokenizer ? [...weights, { path, source: tokenizer }] : weights;
  const manifest = parseManifest({
    format: 'edgeshard',
    version: 2,
    ...label,
    ...rest,
    files: files.map(({ path, source: { bytes, etag } }) => ({
      path,
      bytes,
      ...(etag !== undefined && { etag }),
    })),
    tokenizer: tokenizer ? path : null,
  });
  return { manifest, sources: files.map(({ source }) => source) };
}

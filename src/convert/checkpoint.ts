import type { Manifest } from '../model/manifest.ts';
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

import { memorySource, type ByteSource } from './byte-source.ts';

/** A JSON document that no file holds, e.g. a tokenizer built from a checkpoint's own tables. */
export function jsonSource(document: unknown): ByteSource {
  return memorySource(new TextEncoder().encode(JSON.stringify(document)));
}

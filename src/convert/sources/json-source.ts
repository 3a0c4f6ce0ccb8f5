import { memorySource, type ByteSource } from './byte-source.ts';

/** A JSON document that is in no file, such as a tokenizer built from a checkpoint's own tables. */
export function jsonSource(document: unknown): ByteSource {
  return memorySource(new TextEncoder().encode(JSON.stringify(document)));
}

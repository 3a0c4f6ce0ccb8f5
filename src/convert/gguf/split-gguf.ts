/**
 * The names of all parts of a split GGUF file, given any of them (`name-00002-of-00003.gguf`). The name of
 * any other file is returned alone.
 */
export function partsOf(fileName: string): string[] {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(fileName);
  if (!match) return [fileName];
  const [, stem, , total] = match;
  return Array.from(
    { length: Number(total) },
    (_, i) => `${stem}-${String(i + 1).padStart(5, '0')}-of-${total}.gguf`,
  );
}

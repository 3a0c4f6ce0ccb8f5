/** The largest published models have some sixty parts. */
const mostParts = 1000;

/**
 * The names of all parts of a split GGUF file, given any of them (`name-00002-of-00003.gguf`). The name of
 * any other file is returned alone.
 *
 * @throws Error for a name that speaks of more parts than any model has
 */
export function partsOf(fileName: string): string[] {
  const match = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)$/i.exec(fileName);
  if (!match) return [fileName];
  const [, stem, part, total, ending] = match;
  const isPart = Number(part) >= 1 && Number(part) <= Number(total);
  if (!isPart) return [fileName];
  if (Number(total) > mostParts)
    throw new Error(
      `${fileName} is one of ${Number(total)} parts by its name, where at most ${mostParts} are expected`,
    );
  return Array.from(
    { length: Number(total) },
    (_, i) => `${stem}-${String(i + 1).padStart(5, '0')}-of-${total}${ending}`,
  );
}

/** A GGUF file's name without its ending and without the number of its part. */
export function ggufTitle(fileName: string): string {
  return fileName.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');
}

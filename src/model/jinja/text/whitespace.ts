/** What Python counts as white space; JavaScript counts U+FEFF too and leaves out four control characters. */
export const whitespace =
  '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const blanks = new RegExp(`[${whitespace}]`);

export function isWhitespace(character: string): boolean {
  return blanks.test(character);
}

/** `text.strip(characters)`; without characters, of white space. */
export function strip(text: string, characters?: string): string {
  return stripStart(stripEnd(text, characters), characters);
}

export function stripStart(text: string, characters?: string): string {
  const isStripped = stripperOf(characters);
  const points = Array.from(text);
  let start = 0;
  while (start < points.length && isStripped(points[start])) start++;
  return points.slice(start).join('');
}

export function stripEnd(text: string, characters?: string): string {
  const isStripped = stripperOf(characters);
  const points = Array.from(text);
  let end = points.length;
  while (end > 0 && isStripped(points[end - 1])) end--;
  return points.slice(0, end).join('');
}

function stripperOf(characters: string | undefined): (character: string) => boolean {
  if (characters === undefined) return isWhitespace;
  const set = new Set(characters);
  return (character) => set.has(character);
}

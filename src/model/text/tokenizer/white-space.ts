/**
 * White space as the tokenizers library (Rust) knows it: Unicode's White_Space. JavaScript's `trim` and `\s`
 * differ: they lack U+0085 and have U+FEFF.
 */
const allWhite = /^\p{White_Space}$/u;

/** @param at an index of a UTF-16 code unit; all white space is one unit long */
function isWhiteSpaceAt(text: string, at: number): boolean {
  return allWhite.test(text.charAt(at));
}

/** The index at which the white space that ends at `end` begins, and not below `least`. */
export function whiteSpaceStart(text: string, end: number, least = 0): number {
  let start = end;
  while (start > least && isWhiteSpaceAt(text, start - 1)) start--;
  return start;
}

/** The index behind the white space that begins at `start`. */
export function whiteSpaceEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && isWhiteSpaceAt(text, end)) end++;
  return end;
}

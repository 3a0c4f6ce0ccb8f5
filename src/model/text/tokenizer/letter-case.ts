/**
 * Letters that are the same where upper and lower case count the same, by Unicode's simple case folding. ASCII
 * variants of ASCII letters are left out: `@huggingface/tokenizers` adds those.
 */

/** The ASCII letters that other letters fold to: long s, Kelvin sign. */
const foldsTo: Partial<Record<string, string>> = { s: 'ſ', k: '\u212A' };

/** @returns letters to put into a class beside `letter`, or nothing */
export function caseVariants(letter: string): string {
  const lower = letter.toLowerCase();
  if (/^[A-Za-z]$/.test(letter)) return foldsTo[lower] ?? '';
  const upper = letter.toUpperCase();
  const others = new Set([lower, upper, upper.toLowerCase()]);
  // What grows into several letters is no simple folding.
  const single = [...others].filter((other) => other !== letter && Array.from(other).length === 1);
  return single.join('');
}

/** @param text a class of a pattern, whose letters and ranges of ASCII letters are looked at */
export function classVariants(text: string): string {
  if (text.includes('&&') || text.includes('[', 1)) return '';
  const members = text.replace(/\\[pP]\{[^}]*\}|\\[\s\S]/gu, '');
  const ranges = /a-z|A-Z/.test(members) ? 'sk' : '';
  const letters = Array.from(members).filter((letter) => /\p{L}/u.test(letter));
  return [...new Set([...ranges, ...letters])].map(caseVariants).join('');
}

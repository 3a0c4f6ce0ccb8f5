/**
 * Letters that are the same where upper and lower case count the same, by Unicode's simple case folding, such
 * as the long s, the Kelvin sign and the final sigma. ASCII variants of ASCII letters are left out:
 * `@huggingface/tokenizers` adds those.
 */

/** @returns letters to put into a class beside `letter`, or nothing */
export function caseVariants(letter: string): string {
  if (!/^\p{L}$/u.test(letter)) return '';
  const same = allLetters().match(new RegExp(letter, 'giu')) ?? [];
  const isAscii = /^[A-Za-z]$/.test(letter);
  return same.filter((one) => one !== letter && !(isAscii && /^[A-Za-z]$/.test(one))).join('');
}

let letters: string | null = null;

/** Those with case of the Basic Multilingual Plane; a pattern seldom needs them. */
function allLetters(): string {
  letters ??= Array.from({ length: 0xffff }, (_, unit) => String.fromCharCode(unit))
    .filter((letter) => /[\p{Lu}\p{Ll}\p{Lt}]/u.test(letter))
    .join('');
  return letters;
}

/** @param text a class of a pattern, whose letters and ranges of ASCII letters are looked at */
export function classVariants(text: string): string {
  if (text.includes('&&') || text.includes('[', 1)) return '';
  const members = text.replace(/\\[pP]\{[^}]*\}|\\[\s\S]/gu, '');
  // Of the ASCII letters, only these two have variants outside ASCII.
  const ranges = /a-z|A-Z/.test(members) ? ['s', 'k'] : [];
  const single = Array.from(members).filter((letter) => /[skSK]|[^\0-\x7F]/u.test(letter));
  return [...new Set([...ranges, ...single])].map(caseVariants).join('');
}

/**
 * The letters in which byte-level tokenizers write bytes: each printable byte of Latin-1 as itself, the others
 * from U+0100 on. Source: GPT-2's `encoder.py`, tokenizers' `pre_tokenizers/byte_level.rs`.
 */
const isPrintable = (byte: number): boolean =>
  (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);

const letters: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : next++),
  );
})();

const bytes = new Map(letters.map((letter, byte) => [letter.charCodeAt(0), byte]));
const encoder = new TextEncoder();

/** A text's UTF-8, a letter for each byte. */
export function toByteLetters(text: string): string {
  if (/^[!-~]*$/.test(text)) return text;
  let spelt = '';
  for (const byte of encoder.encode(text)) spelt += letters[byte];
  return spelt;
}

/** The bytes of such letters; null if there is another letter among them. */
export function fromByteLetters(spelt: string): number[] | null {
  const found: number[] = [];
  for (let at = 0; at < spelt.length; at++) {
    const byte = bytes.get(spelt.charCodeAt(at));
    if (byte === undefined) return null;
    found.push(byte);
  }
  return found;
}

/**
 * SentencePiece's table of letters to change (`Precompiled`): a trie of UTF-8 spellings in a double array
 * (darts-clone), and the texts that stand for them, each ended by a zero byte.
 *
 * Source: `src/normalizers/precompiled.rs` of the tokenizers library (Rust) and the crate `spm_precompiled`,
 * whose rule is kept: what a person sees as one letter is looked up whole below six bytes, then by code
 * points; of several entries the shortest counts.
 */

/** A letter of so many bytes or more is looked up by its code points. */
const longestWhole = 6;

interface Charsmap {
  units: Uint32Array;
  texts: Uint8Array;
}

/**
 * @param base64 the table as a `tokenizer.json` writes it
 * @throws Error if it is no such table
 */
export function charsmapNormalizer(base64: string): (text: string) => string {
  const table = parse(base64);
  const letters = new Intl.Segmenter('en', { granularity: 'grapheme' });
  const encoder = new TextEncoder();
  const changed = new Map<string, string | null>();
  const look = (spelling: string): string | null => {
    let found = changed.get(spelling);
    if (found === undefined) {
      found = lookUp(table, encoder.encode(spelling));
      if (changed.size < mostRemembered) changed.set(spelling, found);
    }
    return found;
  };
  return (text) =>
    Array.from(letters.segment(text), ({ segment }) => {
      const isWhole = encoder.encode(segment).byteLength < longestWhole;
      const whole = isWhole ? look(segment) : null;
      return whole ?? Array.from(segment, (letter) => look(letter) ?? letter).join('');
    }).join('');
}

const mostRemembered = 10_000;

function parse(base64: string): Charsmap {
  const bytes = decodeBase64(base64);
  const trieBytes = bytes.byteLength < 4 ? -1 : new DataView(bytes.buffer).getUint32(0, true);
  if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.byteLength)
    throw new Error('its table of letters to change (Precompiled) is cut short or damaged');
  return {
    units: new Uint32Array(bytes.buffer.slice(4, 4 + trieBytes)),
    texts: bytes.subarray(4 + trieBytes),
  };
}

function decodeBase64(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch (error) {
    throw new Error('its table of letters to change (Precompiled) is not base64', { cause: error });
  }
}

/** @returns the text for the shortest entry that the spelling begins with */
function lookUp({ units, texts }: Charsmap, spelling: Uint8Array): string | null {
  let node = offsetOf(units[0]);
  for (const byte of spelling) {
    if (byte === 0) return null;
    node ^= byte;
    const unit = units.at(node);
    if (unit === undefined || labelOf(unit) !== byte) return null;
    node ^= offsetOf(unit);
    if (hasLeaf(unit)) return textAt(texts, (units.at(node) ?? 0) & 0x7fffffff);
  }
  return null;
}

const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0;
const offsetOf = (unit: number): number => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;

function textAt(texts: Uint8Array, start: number): string {
  const end = texts.indexOf(0, start);
  return new TextDecoder().decode(texts.subarray(start, end < 0 ? undefined : end));
}

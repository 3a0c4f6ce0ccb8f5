/**
 * The Unigram model: of all ways to cut a piece of text into tokens, the one with the highest sum of scores.
 *
 * `@huggingface/tokenizers` has it without the bytes that stand for unknown letters, and lets a text be cut
 * into special tokens. Source: `encode_optimized` in tokenizers' `src/models/unigram/model.rs` (Rust).
 */

export interface UnigramOptions {
  /** Tokens and their scores, in the order of their ids. */
  vocab: readonly (readonly [token: string, score: number])[];
  unknownId: number | null;
  /** Unknown letters are spelt in tokens such as `<0xE2>`, if all of theirs are there. */
  byteFallback: boolean;
  /** Tokens that no text is cut into. */
  excluded: ReadonlySet<string>;
}

const byteSpelling = /^<0x([0-9A-F]{2})>$/;

/** A letter outside the vocabulary costs this more than the unlikeliest token. */
const unknownPenalty = 10;

/** @throws Error when it meets an unknown letter and has no token for it */
export function createUnigram(options: UnigramOptions): (text: string) => number[] {
  const { vocab, unknownId, excluded } = options;
  const ids = new Map<string, number>();
  let lowest = Infinity;
  for (const [id, [token, score]] of vocab.entries()) {
    lowest = Math.min(lowest, score);
    if (token === '' || excluded.has(token)) continue;
    // As in SentencePiece, the spelling of a byte in a text is letters.
    if (options.byteFallback && byteSpelling.test(token)) continue;
    ids.set(token, id);
  }
  const prefixes = prefixesOf(ids.keys());
  const unknownScore = lowest - unknownPenalty;
  const byteIds = options.byteFallback ? byteIdsOf(vocab) : new Map<number, number>();

  const unknownIds = (letters: string): number[] => {
    const bytes = Array.from(new TextEncoder().encode(letters), (byte) => byteIds.get(byte));
    if (bytes.every((id) => id !== undefined)) return bytes;
    if (unknownId === null)
      throw new Error(`it has no token for ${JSON.stringify(Array.from(letters)[0])}`);
    return [unknownId];
  };

  return (text) => {
    const best = bestCuts(text, { ids, vocab, prefixes, unknownScore });
    const result: number[] = [];
    let end = text.length;
    while (end > 0) {
      const { id } = best[end];
      let { start } = best[end];
      if (id === null) {
        // Unknown letters beside each other are one token.
        while (start > 0 && best[start].id === null) start = best[start].start;
        result.push(...unknownIds(text.slice(start, end)).reverse());
      } else {
        result.push(id);
      }
      end = start;
    }
    return result.reverse();
  };
}

interface Cut {
  start: number;
  score: number;
  /** Null for an unknown letter. */
  id: number | null;
}

interface Search {
  ids: ReadonlyMap<string, number>;
  vocab: UnigramOptions['vocab'];
  prefixes: ReadonlySet<string>;
  unknownScore: number;
}

/** The best token that ends at each index of the text. */
function bestCuts(text: string, search: Search): Cut[] {
  const { ids, vocab, prefixes, unknownScore } = search;
  const none: Cut = { start: -1, score: 0, id: null };
  const best: Cut[] = Array.from({ length: text.length + 1 }, () => none);
  const offer = (start: number, end: number, score: number, id: number | null): void => {
    const sum = best[start].score + score;
    if (best[end].start < 0 || sum > best[end].score) best[end] = { start, score: sum, id };
  };
  let start = 0;
  while (start < text.length) {
    const next = start + ((text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1);
    let hasSingle = false;
    for (let end = next; end <= text.length; end++) {
      const token = text.slice(start, end);
      const id = ids.get(token);
      if (id !== undefined) {
        offer(start, end, vocab[id][1], id);
        hasSingle ||= end === next;
      }
      if (!prefixes.has(token)) break;
    }
    if (!hasSingle) offer(start, next, unknownScore, null);
    start = next;
  }
  return best;
}

/** What tokens begin with, so that a search ends where none goes on. */
function prefixesOf(tokens: Iterable<string>): ReadonlySet<string> {
  const prefixes = new Set<string>();
  for (const token of tokens)
    for (let end = 1; end < token.length; end++) prefixes.add(token.slice(0, end));
  return prefixes;
}

function byteIdsOf(vocab: UnigramOptions['vocab']): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const [id, [token]] of vocab.entries()) {
    const byte = byteSpelling.exec(token)?.[1];
    if (byte !== undefined) found.set(parseInt(byte, 16), id);
  }
  return found;
}

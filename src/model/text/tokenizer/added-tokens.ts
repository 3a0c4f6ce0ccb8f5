/**
 * Finds added tokens in a text: whole words of the vocabulary that are looked for before anything else is
 * done with the text. Of those that begin at one place, the longest counts.
 *
 * Source: `src/tokenizer/added_vocabulary.rs` of the tokenizers library (Rust).
 */
import { whiteSpaceEnd, whiteSpaceStart } from './white-space.ts';

export interface AddedWord {
  id: number;
  content: string;
  /** Only where no letter stands beside it. */
  isSingleWord: boolean;
  /** It takes in the white space before it, and after it. */
  stripsLeft: boolean;
  stripsRight: boolean;
  /** A mark can be switched off, at a place or everywhere; it then counts as letters. */
  isMark: boolean;
}

export type Section = { kind: 'token'; id: number } | { kind: 'text'; text: string; start: number };

/** Whether a mark from `start` to `end` counts. */
export type MarkRule = (start: number, end: number) => boolean;

interface Node {
  /** By the next UTF-16 code unit. */
  next: Map<number, Node>;
  word: AddedWord | null;
}

/** @returns the sections of a text in order; texts are not empty */
export function createSectionFinder(
  words: readonly AddedWord[],
): (text: string, allowsMark: MarkRule) => Section[] {
  if (words.length === 0) return wholeText;
  const root = trieOf(words);
  return (text, allowsMark) => {
    const sections: Section[] = [];
    let from = 0;
    let at = 0;
    while (at < text.length) {
      const word = longestAt(root, text, at, allowsMark);
      if (!word) {
        at++;
        continue;
      }
      const end = at + word.content.length;
      if (!word.isSingleWord || standsAlone(text, at, end)) {
        const start = word.stripsLeft ? Math.max(whiteSpaceStart(text, at), from) : at;
        if (from < start)
          sections.push({ kind: 'text', text: text.slice(from, start), start: from });
        sections.push({ kind: 'token', id: word.id });
        from = word.stripsRight ? whiteSpaceEnd(text, end) : end;
      }
      // The white space that a token takes in may itself hold tokens, which then count too.
      at = end;
    }
    if (from < text.length) sections.push({ kind: 'text', text: text.slice(from), start: from });
    return sections;
  };
}

function wholeText(text: string): Section[] {
  return text === '' ? [] : [{ kind: 'text', text, start: 0 }];
}

function trieOf(words: readonly AddedWord[]): Node {
  const root: Node = { next: new Map(), word: null };
  for (const word of words) {
    let node = root;
    for (let i = 0; i < word.content.length; i++) {
      const unit = word.content.charCodeAt(i);
      let next = node.next.get(unit);
      if (!next) node.next.set(unit, (next = { next: new Map(), word: null }));
      node = next;
    }
    if (word.content !== '') node.word = word;
  }
  return root;
}

function longestAt(root: Node, text: string, at: number, allows: MarkRule): AddedWord | null {
  let found: AddedWord | null = null;
  let node = root.next.get(text.charCodeAt(at));
  for (let end = at + 1; node; end++) {
    if (node.word && (!node.word.isMark || allows(at, end))) found = node.word;
    node = end < text.length ? node.next.get(text.charCodeAt(end)) : undefined;
  }
  return found;
}

const letterBefore = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200C\u200D]$/u;
const letterAfter = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200C\u200D]/u;

function standsAlone(text: string, start: number, end: number): boolean {
  return (
    !letterBefore.test(text.slice(Math.max(0, start - 2), start)) &&
    !letterAfter.test(text.slice(end, end + 2))
  );
}

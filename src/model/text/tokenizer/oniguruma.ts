/**
 * The tokenizers library (Rust) searches with Oniguruma, in Ruby's syntax. `@huggingface/tokenizers` rewrites
 * such patterns for JavaScript (`\s`, `\d`, `\w`, nested classes, anchors), but drops possessive and atomic
 * groups, and folds only ASCII letters under `(?i:…)`. This file rewrites those parts before it does.
 *
 * Source: Oniguruma's `doc/RE` and `doc/SYNTAX.md` (Ruby), tokenizers' `src/utils/onig.rs`.
 */
import { caseVariants, classVariants } from './letter-case.ts';

/** An open group, or the whole pattern. */
interface Group {
  /** Where it begins in what is written. */
  start: number;
  close: string;
  foldsCase: boolean;
}

interface Rewriting {
  readonly source: string;
  /** What is read up to here is written. */
  at: number;
  written: string;
  /** Where the part begins in what is written that a quantifier would repeat; null where there is none. */
  part: number | null;
  groups: Group[];
  /** How many atomic groups were written. */
  atomic: number;
}

/** @throws Error that names the part that cannot be expressed */
export function portablePattern(source: string): string {
  const whole: Group = { start: 0, close: '', foldsCase: false };
  const state: Rewriting = { source, at: 0, written: '', part: null, groups: [whole], atomic: 0 };
  while (state.at < source.length) rewriteNext(state);
  // Back references count groups, and an atomic group is written as one.
  if (state.atomic > 0 && /\\[1-9]|\\[kg][<']/.test(source))
    throw refusal(source, 'back references beside atomic groups');
  return state.written + whole.close;
}

function rewriteNext(state: Rewriting): void {
  const letter = String.fromCodePoint(state.source.codePointAt(state.at) ?? 0);
  switch (letter) {
    case '\\':
      copyEscape(state);
      break;
    case '[':
      copyClass(state);
      break;
    case '(':
      openGroup(state);
      break;
    case ')':
      closeGroup(state);
      break;
    case '|':
      writePart(state, '|', 1);
      state.part = null;
      break;
    case '^':
      // A line feed at the end of the text begins no line.
      writePart(state, '(?:\\A|(?<=\\n)(?!\\z))', 1);
      break;
    case '*':
    case '+':
    case '?':
    case '{':
      quantify(state);
      break;
    default:
      writePart(state, folded(letter, state), letter.length);
  }
}

function writePart(state: Rewriting, text: string, read: number): void {
  state.part = state.written.length;
  state.written += text;
  state.at += read;
}

function folded(letter: string, { groups }: Rewriting): string {
  const variants = groups.at(-1)?.foldsCase === true ? caseVariants(letter) : '';
  return variants === '' ? letter : `[${letter}${variants}]`;
}

const escapePattern =
  /\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|k<[^>]*>|[\s\S])/uy;

function escapeAt({ source }: Rewriting, at: number): string {
  escapePattern.lastIndex = at;
  const match = escapePattern.exec(source);
  if (!match) throw refusal(source, 'a backslash at its end');
  return match[0];
}

function copyEscape(state: Rewriting): void {
  const escape = escapeAt(state, state.at);
  const code = /^\\(?:x\{|u)([0-9A-Fa-f]{1,6})\}?$/.exec(escape);
  const letter = code ? String.fromCodePoint(parseInt(code[1], 16)) : '';
  const variants = folded(letter, state);
  writePart(state, variants === letter ? property(escape, false) : variants, escape.length);
}

/** Names of POSIX brackets; `\p{…}` takes them in any case. */
const brackets = /^(?:alnum|alpha|blank|cntrl|digit|lower|space|upper|word|xdigit)$/;

/** Rewrites `\p{^…}` and POSIX names in `\p{…}`; other escapes stay as they are. */
function property(escape: string, inClass: boolean): string {
  const parts = /^\\([pP])\{(\^?)([^}]*)\}$/.exec(escape);
  if (!parts) return escape;
  const [, kind, caret, name] = parts;
  const negated = (kind === 'P') !== (caret === '^');
  const plain = name.toLowerCase().replace(/[\s_-]/g, '');
  // Unlike the bracket, the property has no symbols.
  if (plain === 'punct') return `\\${negated ? 'P' : 'p'}{P}`;
  if (plain === 'any' && !negated) return inClass ? '\\s\\S' : '[\\s\\S]';
  if (!brackets.test(plain)) return `\\${negated ? 'P' : 'p'}{${name}}`;
  const bracket = `[:${negated ? '^' : ''}${plain}:]`;
  return inClass ? bracket : `[${bracket}]`;
}

/** Copies a class with the classes in it. */
function copyClass(state: Rewriting): void {
  const { source } = state;
  let text = '';
  let depth = 0;
  let at = state.at;
  do {
    if (at >= source.length) throw refusal(source, 'a class that does not end');
    const bracket = /^\[:\^?[a-z]+:\]/i.exec(source.slice(at, at + 16))?.[0];
    if (depth > 0 && bracket !== undefined) {
      text += bracket.toLowerCase();
      at += bracket.length;
    } else if (source[at] === '\\') {
      const escape = escapeAt(state, at);
      text += property(escape, true);
      at += escape.length;
    } else if (source[at] === '[') {
      // A bracket that comes first does not end the class.
      const head = /^\[\^?\]?/.exec(source.slice(at, at + 3))?.[0] ?? '[';
      text += head.replace(']', '\\]');
      at += head.length;
      depth++;
    } else {
      if (source[at] === ']') depth--;
      text += source[at];
      at += 1;
    }
  } while (depth > 0);
  if (state.groups.at(-1)?.foldsCase === true) text = `${text.slice(0, -1)}${classVariants(text)}]`;
  writePart(state, text, at - state.at);
}

const groupHead = /\(\?(?:#[^)]*\)|<[=!]|<[A-Za-z_]\w*>|i\)|i:|[:=!>])|\((?!\?)/y;

function openGroup(state: Rewriting): void {
  groupHead.lastIndex = state.at;
  const head = groupHead.exec(state.source)?.[0];
  if (head === undefined) {
    const part = state.source.slice(state.at, state.at + 6);
    throw refusal(state.source, `a group of an unknown kind (${part}…)`);
  }
  state.at += head.length;
  if (head.startsWith('(?#')) return;
  const outer = state.groups[state.groups.length - 1];
  if (head === '(?i)') {
    // Up to the end of the group around it, other alternatives included.
    state.written += '(?i:';
    outer.close += ')';
    outer.foldsCase = true;
    state.part = null;
    return;
  }
  const group = { start: state.written.length, close: ')', foldsCase: outer.foldsCase };
  state.groups.push(group);
  if (head === '(?>') {
    const [open, close] = atomicGroup(state);
    state.written += open;
    group.close = close;
  } else {
    state.written += head;
    if (head === '(?i:') group.foldsCase = true;
  }
  state.part = null;
}

function closeGroup(state: Rewriting): void {
  const group = state.groups.length > 1 ? state.groups.pop() : undefined;
  if (!group) throw refusal(state.source, 'a group that ends and did not begin');
  state.written += group.close;
  state.at += 1;
  state.part = group.start;
}

/** A lookahead gives nothing back, and the reference then takes what it saw. */
function atomicGroup(state: Rewriting): [open: string, close: string] {
  const name = `_${++state.atomic}`;
  return [`(?:(?=(?<${name}>`, `))\\k<${name}>)`];
}

const quantifier = /[*+?]|\{(?:\d+(?:,\d*)?|,\d+)\}/y;

function quantify(state: Rewriting): void {
  const { part } = state;
  quantifier.lastIndex = state.at;
  const times = quantifier.exec(state.source)?.[0];
  if (part === null || times === undefined) {
    if (state.source[state.at] !== '{') throw refusal(state.source, 'a repetition of nothing');
    writePart(state, '\\{', 1);
    return;
  }
  state.at += times.length;
  const repeated = state.written.slice(part) + times;
  const mode = state.source[state.at];
  if (mode === '+' && !times.startsWith('{')) {
    const [open, close] = atomicGroup(state);
    state.written = state.written.slice(0, part) + open + repeated + close;
    state.at += 1;
  } else if (mode === '?' && /^\{\d+\}$/.test(times)) {
    // In Ruby's syntax, a fixed number of times is always greedy, and the mark makes it optional.
    state.written = `${state.written.slice(0, part)}(?:${repeated})?`;
    state.at += 1;
  } else {
    state.written += times;
    if (mode === '?') {
      state.written += mode;
      state.at += 1;
    }
  }
}

function refusal(source: string, part: string): Error {
  const shown = source.length > 60 ? `${source.slice(0, 60)}…` : source;
  return new Error(`the search pattern ${shown} has ${part}`);
}

/** Cuts a template into text and tokens, as the lexer of Jinja 2 does with `trim_blocks` and `lstrip_blocks`. */
import { TemplateFault, UnsupportedFeature } from '../fault.ts';
import { stripEnd, whitespace } from '../text/whitespace.ts';

export type Token =
  | { kind: 'data'; text: string; line: number }
  | { kind: 'begin' | 'end'; of: 'block' | 'variable'; text: string; line: number }
  | { kind: 'name' | 'operator'; text: string; line: number }
  | { kind: 'string'; text: string; value: string; line: number }
  | { kind: 'number'; text: string; value: bigint | number; line: number }
  | { kind: 'eof'; text: string; line: number };

const space = `[${whitespace}]`;
const patterns = {
  space: new RegExp(`${space}+`, 'y'),
  float: /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy,
  integer: /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy,
  name: /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*/uy,
  string: /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y,
  operator: /\/\/|\*\*|==|!=|>=|<=|[+\-/*%~[\](){}><=.:|,;]/y,
  rawBegin: new RegExp(`\\{%([-+]?)${space}*raw${space}*(?:-%\\}${space}*|%\\})`, 'y'),
  rawEnd: new RegExp(`\\{%([-+]?)${space}*endraw${space}*(?:\\+%\\}|-%\\}${space}*|%\\}\\n?)`, 'g'),
  blockEnd: new RegExp(`\\+%\\}|-%\\}${space}*|%\\}\\n?`, 'y'),
  variableEnd: new RegExp(`-\\}\\}${space}*|\\}\\}`, 'y'),
  commentEnd: new RegExp(`(?:\\+#\\}|-#\\}${space}*|#\\}\\n?)`, 'g'),
};
const isBlank = new RegExp(`^${space}+$`);
const closing: Partial<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };

/** @throws TemplateFault for text that is no template */
export function tokenize(template: string): Token[] {
  const lines = template.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  const source = lines.join('\n');
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  let isLineStart = true;

  function match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    return pattern.exec(source);
  }

  function advanceTo(end: number): void {
    for (let i = at; i < end; i++) if (source[i] === '\n') line++;
    isLineStart = source[end - 1] === '\n';
    at = end;
  }

  /** Writes the text before a tag; `sign` is the tag's own white-space control. */
  function pushText(text: string, sign: string, isVariable: boolean): void {
    let kept = text;
    if (sign === '-') kept = stripEnd(text);
    else if (sign !== '+' && !isVariable) {
      const lineStart = text.lastIndexOf('\n') + 1;
      if ((lineStart > 0 || isLineStart) && isBlank.test(text.slice(lineStart)))
        kept = text.slice(0, lineStart);
    }
    if (kept !== '') tokens.push({ kind: 'data', text: kept, line });
  }

  while (at < source.length) {
    const tag = findTag(source, at);
    if (tag === -1) {
      tokens.push({ kind: 'data', text: source.slice(at), line });
      break;
    }
    const before = source.slice(at, tag);
    const textStart = at;
    at = tag;
    const raw = match(patterns.rawBegin);
    const mark = source[tag + 1];
    const sign = raw ? raw[1] : '-+'.includes(source[tag + 2] ?? ' ') ? source[tag + 2] : '';
    at = textStart;
    pushText(before, sign, mark === '{');
    advanceTo(raw ? tag + raw[0].length : tag + 2 + sign.length);
    if (raw) readRaw();
    else if (mark === '#') readComment();
    else readTag(mark === '%' ? 'block' : 'variable');
  }
  tokens.push({ kind: 'eof', text: 'the end of the template', line });
  return tokens;

  function readRaw(): void {
    const end = match(patterns.rawEnd);
    if (!end) throw new TemplateFault(`a raw block in line ${line} does not end`);
    pushText(source.slice(at, end.index), end[1], false);
    advanceTo(end.index + end[0].length);
  }

  function readComment(): void {
    const end = match(patterns.commentEnd);
    if (!end) throw new TemplateFault(`a comment in line ${line} does not end`);
    advanceTo(end.index + end[0].length);
  }

  function readTag(of: 'block' | 'variable'): void {
    tokens.push({ kind: 'begin', of, text: of === 'block' ? '{%' : '{{', line });
    /** Brackets that are still to be closed; inside of them `}}` and `%}` do not end the tag. */
    const open: string[] = [];
    while (at < source.length) {
      const end =
        open.length === 0 && match(of === 'block' ? patterns.blockEnd : patterns.variableEnd);
      if (end) {
        tokens.push({ kind: 'end', of, text: of === 'block' ? '%}' : '}}', line });
        advanceTo(at + end[0].length);
        return;
      }
      const blank = match(patterns.space);
      if (blank) advanceTo(at + blank[0].length);
      else readToken(open);
    }
  }

  function readToken(open: string[]): void {
    const float = source[at - 1] === '.' ? null : match(patterns.float);
    const found =
      float ??
      match(patterns.integer) ??
      match(patterns.name) ??
      match(patterns.string) ??
      match(patterns.operator);
    if (!found)
      throw new TemplateFault(
        `there is an unexpected ${JSON.stringify(source[at])} in line ${line}`,
      );
    const [text] = found;
    if (float) tokens.push({ kind: 'number', text, value: Number(text.replaceAll('_', '')), line });
    else if (/^\d/.test(text))
      tokens.push({ kind: 'number', text, value: BigInt(text.replaceAll('_', '')), line });
    else if (/^['"]/.test(text))
      tokens.push({ kind: 'string', text, value: unescaped(text.slice(1, -1)), line });
    else if (/^[^\p{P}\p{S}]|^_/u.test(text)) tokens.push({ kind: 'name', text, line });
    else {
      balance(open, text);
      tokens.push({ kind: 'operator', text, line });
    }
    advanceTo(at + text.length);
  }

  function balance(open: string[], text: string): void {
    const close = closing[text];
    if (close !== undefined) open.push(close);
    else if ('})]'.includes(text)) {
      const expected = open.pop();
      if (expected !== text)
        throw new TemplateFault(
          `there is an unexpected "${text}" in line ${line}` +
            (expected === undefined ? '' : ` where "${expected}" is expected`),
        );
    }
  }
}

/** Where the next tag or comment begins, or −1. */
function findTag(source: string, from: number): number {
  for (let at = source.indexOf('{', from); at !== -1; at = source.indexOf('{', at + 1))
    if ('%{#'.includes(source[at + 1] ?? ' ')) return at;
  return -1;
}

const simpleEscapes: Partial<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The escapes of a Python string. An unknown one stays as it is written. */
function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (whole, ...groups: (string | undefined)[]) => {
      const [x, u, long, octal, other = ''] = groups;
      const hex = x ?? u ?? long;
      if (hex !== undefined) return characterOf(parseInt(hex, 16));
      if (octal !== undefined) return characterOf(parseInt(octal, 8));
      if (other === 'N') throw new UnsupportedFeature('a character by its name (\\N{…})');
      if ('xuU'.includes(other))
        throw new TemplateFault(`there is an escape "${whole}" without its digits in a text`);
      return simpleEscapes[other] ?? whole;
    },
  );
}

function characterOf(code: number): string {
  if (code > 0x10ffff) throw new TemplateFault('there is an escape of no character in a text');
  return String.fromCodePoint(code);
}

/** The methods of Python's `str`. Texts are counted in code points. */
import { given, type Given } from '../values/arguments.ts';
import { TemplateFault } from '../fault.ts';
import { isPrintable } from '../values/print.ts';
import {
  asText,
  checkTextLength,
  codePoints,
  itemsOf,
  Tuple,
  typeName,
  type Arguments,
  type Value,
} from '../values/values.ts';
import { isWhitespace, strip, stripEnd, stripStart, whitespace } from './whitespace.ts';

type Method = [parameters: string[], run: (text: string, given: Given) => Value];

/** Separators of files, groups and records, at which Python ends lines too. */
const separators = '\\x1c-\\x1e';
const lineEnds = new RegExp(`\\r\\n|[\\n\\r\\v\\f${separators}\\x85\\u2028\\u2029]`, 'g');

/** By name. `join` comes below, and `format`, which reads attributes, in `subscripts.ts`. */
const methods: Partial<Record<string, Method>> = {
  capitalize: [[], (text) => capitalized(text)],
  casefold: [[], (text) => text.toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ')],
  center: [['width', 'fillchar'], (text, args) => padded(text, args, 'center')],
  count: [['sub', 'start', 'end'], (text, args) => BigInt(countIn(text, args))],
  endswith: [
    ['suffix', 'start', 'end'],
    (text, args) => affixes(args, 'suffix').some((end) => part(text, args).endsWith(end)),
  ],
  expandtabs: [['tabsize'], (text, args) => withoutTabs(text, args.integer('tabsize') ?? 8)],
  find: [['sub', 'start', 'end'], (text, args) => BigInt(placeIn(text, args, 'indexOf'))],
  index: [['sub', 'start', 'end'], (text, args) => foundPlace(text, args, 'indexOf')],
  isalnum: [[], (text) => /^[\p{L}\p{N}]+$/u.test(text)],
  isalpha: [[], (text) => /^\p{L}+$/u.test(text)],
  isascii: [[], (text) => Array.from(text).every((c) => c < '\x80')],
  isdecimal: [[], (text) => /^\p{Nd}+$/u.test(text)],
  isdigit: [[], (text) => /^[\p{Nd}²³¹⁰-⁹₀-₉]+$/u.test(text)],
  isidentifier: [
    [],
    (text) => /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*$/u.test(text),
  ],
  islower: [[], (text) => isCased(text, 'lower')],
  isnumeric: [[], (text) => /^\p{N}+$/u.test(text)],
  isprintable: [[], (text) => isPrintable(text)],
  isspace: [[], (text) => text !== '' && Array.from(text).every(isWhitespace)],
  istitle: [[], (text) => /\p{Lu}|\p{Lt}/u.test(text) && titleOf(text) === text],
  isupper: [[], (text) => isCased(text, 'upper')],
  ljust: [['width', 'fillchar'], (text, args) => padded(text, args, 'left')],
  lower: [[], (text) => text.toLowerCase()],
  lstrip: [['chars'], (text, args) => stripStart(text, args.text('chars'))],
  partition: [['sep'], (text, args) => partitioned(text, args, 'indexOf')],
  removeprefix: [
    ['prefix'],
    (text, args) => {
      const prefix = args.text('prefix') ?? '';
      return text.startsWith(prefix) ? text.slice(prefix.length) : text;
    },
  ],
  removesuffix: [
    ['suffix'],
    (text, args) => {
      const suffix = args.text('suffix') ?? '';
      return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
    },
  ],
  replace: [
    ['old', 'new', 'count'],
    (text, args) =>
      replaced(text, textArgument(args, 'old'), textArgument(args, 'new'), args.integer('count')),
  ],
  rfind: [['sub', 'start', 'end'], (text, args) => BigInt(placeIn(text, args, 'lastIndexOf'))],
  rindex: [['sub', 'start', 'end'], (text, args) => foundPlace(text, args, 'lastIndexOf')],
  rjust: [['width', 'fillchar'], (text, args) => padded(text, args, 'right')],
  rpartition: [['sep'], (text, args) => partitioned(text, args, 'lastIndexOf')],
  rsplit: [['sep', 'maxsplit'], (text, args) => splitEnd(text, args)],
  rstrip: [['chars'], (text, args) => stripEnd(text, args.text('chars'))],
  split: [['sep', 'maxsplit'], (text, args) => split(text, args)],
  splitlines: [['keepends'], (text, args) => linesOf(text, args.flag('keepends'))],
  startswith: [
    ['prefix', 'start', 'end'],
    (text, args) => affixes(args, 'prefix').some((start) => part(text, args).startsWith(start)),
  ],
  strip: [['chars'], (text, args) => strip(text, args.text('chars'))],
  swapcase: [
    [],
    (text) =>
      Array.from(text, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join(''),
  ],
  title: [[], (text) => titleOf(text)],
  upper: [[], (text) => text.toUpperCase()],
  zfill: [['width'], (text, args) => zeroFilled(text, args.integer('width') ?? 0)],
};

/** Null for a name that is not a method's. */
export function textMethod(text: string, name: string): ((args: Arguments) => Value) | null {
  if (name === 'join')
    return (args) => joinedBy(text, given('join', args, ['iterable']).required('iterable'));
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (!method) return null;
  const [parameters, run] = method;
  return (args) => run(text, given(name, args, parameters));
}

function textArgument(args: Given, name: string): string {
  args.required(name);
  return args.text(name) ?? '';
}

function joinedBy(separator: string, items: Value): string {
  const texts = Array.from(itemsOf(items), (item, i) => {
    const text = asText(item);
    if (text === undefined)
      throw new TemplateFault(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
    return text;
  });
  checkTextLength(texts.reduce((sum, text) => sum + text.length + separator.length, 0));
  return texts.join(separator);
}

export function capitalized(text: string): string {
  const [first = '', ...rest] = codePoints(text);
  return titleLetter(first) + rest.join('').toLowerCase();
}

/** Letters that are two in one, whose capital within a word has one small half. */
const digraphs: Partial<Record<string, string>> = {
  Ǆ: 'ǅ',
  Ǉ: 'ǈ',
  Ǌ: 'ǋ',
  Ǳ: 'ǲ',
};

function titleLetter(letter: string): string {
  const [first = '', ...rest] = codePoints(letter.toUpperCase());
  return (digraphs[first] ?? first) + rest.join('').toLowerCase();
}

/** Every run of cased letters begins with a capital. */
function titleOf(text: string): string {
  return text.replace(/\p{Cased}+/gu, (run) => capitalized(run));
}

export function isCased(text: string, how: 'lower' | 'upper'): boolean {
  const other = how === 'lower' ? /[\p{Lu}\p{Lt}]/u : /[\p{Ll}\p{Lt}]/u;
  return /[\p{Lu}\p{Ll}\p{Lt}]/u.test(text) && !other.test(text);
}

/** The text between `start` and `end`, counted as a slice counts. */
function part(text: string, args: Given): string {
  const [start, end] = [args.integer('start'), args.integer('end')];
  if (start === undefined && end === undefined) return text;
  return codePoints(text).slice(start, end).join('');
}

function affixes(args: Given, name: string): string[] {
  const value = args.required(name);
  const options = value instanceof Tuple ? value.items : [value];
  return options.map((option) => {
    const text = asText(option);
    if (text === undefined)
      throw new TemplateFault(`a ${name} must be str or a tuple of str, not ${typeName(option)}`);
    return text;
  });
}

function countIn(text: string, args: Given): number {
  const sub = textArgument(args, 'sub');
  const within = part(text, args);
  return sub === '' ? codePoints(within).length + 1 : within.split(sub).length - 1;
}

function placeIn(text: string, args: Given, direction: 'indexOf' | 'lastIndexOf'): number {
  const within = part(text, args);
  const place = within[direction](textArgument(args, 'sub'));
  if (place === -1) return -1;
  const start = args.integer('start') ?? 0;
  const before = start < 0 ? Math.max(0, codePoints(text).length + start) : start;
  return before + codePoints(within.slice(0, place)).length;
}

function foundPlace(text: string, args: Given, direction: 'indexOf' | 'lastIndexOf'): bigint {
  const place = placeIn(text, args, direction);
  if (place === -1) throw new TemplateFault('substring not found');
  return BigInt(place);
}

function partitioned(text: string, args: Given, direction: 'indexOf' | 'lastIndexOf'): Tuple {
  const separator = separatorOf(args) ?? '';
  const place = text[direction](separator);
  if (place === -1) return new Tuple(direction === 'indexOf' ? [text, '', ''] : ['', '', text]);
  return new Tuple([text.slice(0, place), separator, text.slice(place + separator.length)]);
}

function separatorOf(args: Given): string | undefined {
  const separator = args.text('sep');
  if (separator === '') throw new TemplateFault('empty separator');
  return separator;
}

/** A negative number means no limit. */
function limitOf(args: Given): number {
  const limit = args.integer('maxsplit') ?? -1;
  return limit < 0 ? Infinity : limit;
}

function split(text: string, args: Given): string[] {
  const [separator, limit] = [separatorOf(args), limitOf(args)];
  if (separator === undefined) return words(text, limit);
  const parts = text.split(separator);
  if (parts.length - 1 <= limit) return parts;
  return [...parts.slice(0, limit), parts.slice(limit).join(separator)];
}

function splitEnd(text: string, args: Given): string[] {
  const [separator, limit] = [separatorOf(args), limitOf(args)];
  if (separator === undefined) {
    const reversed = (value: string): string => codePoints(value).reverse().join('');
    return words(reversed(text), limit).map(reversed).reverse();
  }
  const parts = text.split(separator);
  const kept = parts.length - limit;
  if (kept <= 1) return parts;
  return [parts.slice(0, kept).join(separator), ...parts.slice(kept)];
}

const word = new RegExp(`[^${whitespace}]+`, 'g');

/** The words between white space; beyond the limit the rest stays as it is, but for the space before it. */
function words(text: string, limit: number): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(word)) {
    if (found.length === limit) return [...found, text.slice(match.index)];
    found.push(match[0]);
  }
  return found;
}

export function linesOf(text: string, keepEnds: boolean): string[] {
  const lines: string[] = [];
  let start = 0;
  for (const match of text.matchAll(lineEnds)) {
    const end = match.index + match[0].length;
    lines.push(text.slice(start, keepEnds ? end : match.index));
    start = end;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

/** @param most how many are replaced, from the first; all without it, or where it is negative */
export function replaced(text: string, old: string, fresh: string, most?: number): string {
  const limit = most === undefined || most < 0 ? Infinity : most;
  const parts = old === '' ? ['', ...codePoints(text), ''] : text.split(old);
  const times = Math.min(limit, parts.length - 1);
  checkTextLength(text.length + times * fresh.length);
  if (times === parts.length - 1) return parts.join(fresh);
  return [...parts.slice(0, times), parts.slice(times).join(old)].join(fresh);
}

function padded(text: string, args: Given, how: 'left' | 'right' | 'center'): string {
  args.required('width');
  const fill = args.text('fillchar') ?? ' ';
  if (codePoints(fill).length !== 1)
    throw new TemplateFault('The fill character must be exactly one character long');
  return aligned(text, args.integer('width') ?? 0, fill, how);
}

export function aligned(
  text: string,
  width: number,
  fill: string,
  how: 'left' | 'right' | 'center' | 'middle',
): string {
  const missing = width - codePoints(text).length;
  if (missing <= 0) return text;
  checkTextLength(width);
  // Of an odd number `center()` puts the larger half first where the width is odd, and `format()` never does.
  const half = Math.floor(missing / 2) + (how === 'center' ? missing & width & 1 : 0);
  const before = how === 'left' ? 0 : how === 'right' ? missing : half;
  return fill.repeat(before) + text + fill.repeat(missing - before);
}

function zeroFilled(text: string, width: number): string {
  const missing = Math.max(0, width - codePoints(text).length);
  checkTextLength(width);
  const sign = /^[-+]/.test(text) ? text.slice(0, 1) : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function withoutTabs(text: string, size: number): string {
  let column = 0;
  let spaced = '';
  for (const character of text)
    if (character === '\t') {
      const count = size > 0 ? size - (column % size) : 0;
      spaced += ' '.repeat(count);
      column += count;
    } else {
      spaced += character;
      column = character === '\n' || character === '\r' ? 0 : column + 1;
    }
  checkTextLength(spaced.length);
  return spaced;
}

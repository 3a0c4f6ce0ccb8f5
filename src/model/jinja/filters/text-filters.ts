/** Filters that make a text: those of Jinja 2, and `tojson` as transformers replaces it. */
import { wellFormed } from '../../../base/well-formed.ts';
import { given } from '../values/arguments.ts';
import { TemplateFault } from '../fault.ts';
import { formatPercent } from '../text/format-percent.ts';
import { jsonText } from '../text/json-text.ts';
import { htmlOf } from '../values/operators.ts';
import { textOf } from '../values/print.ts';
import { attributePath } from '../values/attribute-path.ts';
import { aligned, capitalized, linesOf, replaced } from '../text/text-methods.ts';
import {
  asInteger,
  asText,
  checkTextLength,
  codePointCount,
  codePoints,
  Dict,
  itemsOf,
  lengthOf,
  Markup,
  Tuple,
  typeName,
  type Arguments,
  type Value,
} from '../values/values.ts';
import { strip } from '../text/whitespace.ts';
import type { Filter } from './filter.ts';

export const textFilters: Record<string, Filter> = {
  capitalize: (value) => capitalized(textOf(value)),
  center: (value, args) =>
    aligned(textOf(value), given('center', args, ['width']).integer('width') ?? 80, ' ', 'center'),
  escape: (value) => new Markup(htmlOf(value)),
  e: (value) => new Markup(htmlOf(value)),
  forceescape: (value) => new Markup(htmlOf(textOf(value))),
  format: (value, args) =>
    formatPercent(
      textOf(value),
      args.named.size > 0 ? new Dict(args.named) : new Tuple(args.positional),
    ),
  indent: indented,
  join: joined,
  lower: (value) => textOf(value).toLowerCase(),
  replace: (value, args) => {
    const parameters = given('replace', args, ['old', 'new', 'count']);
    const [old, fresh] = [parameters.required('old'), parameters.required('new')];
    return replaced(textOf(value), textOf(old), textOf(fresh), parameters.integer('count'));
  },
  safe: (value) => new Markup(textOf(value)),
  string: (value) => (value instanceof Markup ? value : textOf(value)),
  title: (value) =>
    textOf(value).replace(
      /[^-\s({[<]+/g,
      (word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase(),
    ),
  tojson,
  trim: (value, args) => strip(textOf(value), given('trim', args, ['chars']).text('chars')),
  truncate: truncatedText,
  upper: (value) => textOf(value).toUpperCase(),
  urlencode: (value) => urlEncoded(value),
  wordcount: (value) =>
    BigInt(textOf(value).match(/[\p{L}\p{N}\p{Mn}\p{Mc}\p{Pc}]+/gu)?.length ?? 0),
};

function indented(value: Value, args: Arguments): Value {
  const parameters = given('indent', args, ['width', 'first', 'blank']);
  const width = parameters.value('width');
  const indention =
    width === undefined ? ' '.repeat(4) : (asText(width) ?? spaces('indent', asInteger(width)));
  const text = asText(value);
  if (text === undefined) throw new TemplateFault(`indent() takes a text, not ${typeName(value)}`);
  const lines = linesOf(`${text}\n`, false);
  checkTextLength(lines.length * indention.length);
  const isBlank = parameters.flag('blank');
  const rest = lines.slice(1).map((line) => (line !== '' || isBlank ? indention + line : line));
  const all = [lines[0], ...rest].join('\n');
  return parameters.flag('first') ? indention + all : all;
}

function joined(value: Value, args: Arguments): Value {
  const parameters = given('join', args, ['d', 'attribute']);
  const attribute = parameters.value('attribute') ?? null;
  const read = attribute === null ? undefined : attributePath(attribute);
  const texts = Array.from(itemsOf(value), (item) => textOf(read ? read(item) : item));
  const separator = textOf(parameters.value('d') ?? '');
  checkTextLength(texts.reduce((sum, text) => sum + text.length + separator.length, 0));
  return texts.join(separator);
}

function tojson(value: Value, args: Arguments): Value {
  const parameters = given('tojson', args, ['ensure_ascii', 'indent', 'separators', 'sort_keys']);
  const indent = parameters.value('indent') ?? null;
  const separators = parameters.value('separators') ?? null;
  const [itemSeparator, keySeparator] =
    separators === null
      ? [indent === null ? ', ' : ',', ': ']
      : Array.from(itemsOf(separators), textOf);
  return jsonText(value, {
    ensureAscii: parameters.flag('ensure_ascii'),
    indent: indent === null ? null : (asText(indent) ?? spaces('tojson', asInteger(indent))),
    itemSeparator,
    keySeparator,
    sortKeys: parameters.flag('sort_keys'),
  });
}

function spaces(name: string, count: bigint | undefined): string {
  if (count === undefined)
    throw new TemplateFault(`${name}() takes an int or a str as indentation`);
  checkTextLength(Number(count));
  return ' '.repeat(Math.max(0, Number(count)));
}

function truncatedText(value: Value, args: Arguments): Value {
  const parameters = given('truncate', args, ['length', 'killwords', 'end', 'leeway']);
  const length = parameters.integer('length') ?? 255;
  const end = parameters.text('end') ?? '...';
  const leeway = parameters.integer('leeway') ?? 5;
  const room = length - codePointCount(end);
  if (room < 0)
    throw new TemplateFault(`truncate() has no room for its end in ${length} characters`);
  if (leeway < 0) throw new TemplateFault(`truncate() takes a leeway of 0 or more, not ${leeway}`);
  if (lengthOf(value) <= length + leeway) return value;
  const text = asText(value);
  if (text === undefined)
    throw new TemplateFault(`truncate() takes a text, not ${typeName(value)}`);
  const cut = codePoints(text).slice(0, room).join('');
  const lastSpace = cut.lastIndexOf(' ');
  return (parameters.flag('killwords') || lastSpace === -1 ? cut : cut.slice(0, lastSpace)) + end;
}

function urlEncoded(value: Value): string {
  const quote = (item: Value, isQuery: boolean): string => {
    const encoded = encodeURIComponent(wellFormed(textOf(item))).replace(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    return isQuery ? encoded.replaceAll('%20', '+') : encoded.replaceAll('%2F', '/');
  };
  if (asText(value) !== undefined || !(value instanceof Dict || Array.isArray(value)))
    return quote(value, false);
  const pairs =
    value instanceof Dict
      ? value.entries()
      : value.map((pair) => {
          const items = [...itemsOf(pair)];
          if (items.length !== 2) throw new TemplateFault('urlencode() takes pairs of a list');
          return items;
        });
  return pairs.map(([key, item]) => `${quote(key, true)}=${quote(item, true)}`).join('&');
}

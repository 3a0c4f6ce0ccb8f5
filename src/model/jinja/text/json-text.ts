/** Python's `json.dumps`, which transformers gives to templates as the filter `tojson`. */
import { TemplateFault } from '../fault.ts';
import { orderOf } from '../values/operators.ts';
import { floatText } from '../values/print.ts';
import { asText, checkTextLength, Dict, Tuple, typeName, type Value } from '../values/values.ts';

export interface JsonOptions {
  ensureAscii: boolean;
  /** What each level is indented by; null for one line. */
  indent: string | null;
  itemSeparator: string;
  keySeparator: string;
  sortKeys: boolean;
}

export function jsonText(value: Value, options: JsonOptions, newline = '\n'): string {
  const text = asText(value);
  if (text !== undefined) return quotedJson(text, options.ensureAscii);
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return jsonFloat(value);
  if (Array.isArray(value)) return listText(value, options, newline);
  if (value instanceof Tuple) return listText(value.items, options, newline);
  if (value instanceof Dict) return dictText(value, options, newline);
  throw new TemplateFault(`Object of type ${typeName(value)} is not JSON serializable`);
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return floatText(value);
}

function listText(items: readonly Value[], options: JsonOptions, newline: string): string {
  const inner = options.indent === null ? newline : newline + options.indent;
  const parts = items.map((item) => jsonText(item, options, inner));
  return enclosed('[', parts, ']', options, newline);
}

function dictText(dict: Dict, options: JsonOptions, newline: string): string {
  const inner = options.indent === null ? newline : newline + options.indent;
  const entries = dict.entries();
  if (options.sortKeys) entries.sort(([a], [b]) => orderOf('<', a, b));
  const parts = entries.map(([key, value]) => {
    const name = quotedJson(keyText(key), options.ensureAscii);
    return name + options.keySeparator + jsonText(value, options, inner);
  });
  return enclosed('{', parts, '}', options, newline);
}

function enclosed(
  open: string,
  parts: string[],
  close: string,
  { indent, itemSeparator }: JsonOptions,
  newline: string,
): string {
  if (parts.length === 0) return open + close;
  checkTextLength(parts.reduce((sum, part) => sum + part.length + itemSeparator.length, 0));
  if (indent === null) return open + parts.join(itemSeparator) + close;
  const inner = newline + indent;
  return open + inner + parts.join(itemSeparator + inner) + newline + close;
}

function keyText(key: Value): string {
  const text = asText(key);
  if (text !== undefined) return text;
  if (key === null) return 'null';
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'bigint') return key.toString();
  if (typeof key === 'number') return jsonFloat(key);
  throw new TemplateFault(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

const shortEscapes: Partial<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

function quotedJson(text: string, ensureAscii: boolean): string {
  let quoted = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text[i];
    const code = text.charCodeAt(i);
    const short = shortEscapes[unit];
    if (short !== undefined) quoted += short;
    else if (code < 0x20 || (ensureAscii && code > 0x7e))
      quoted += `\\u${code.toString(16).padStart(4, '0')}`;
    else quoted += unit;
  }
  return `${quoted}"`;
}

/** `object.name`, `object[key]` and slices, with the order of look-ups and the bans of Jinja's sandbox. */
import { TemplateFault, UnsupportedFeature } from '../fault.ts';
import { formatBraces } from '../text/format-braces.ts';
import { methodOf, unsupportedMethods } from './methods.ts';
import {
  asInteger,
  asText,
  codePoints,
  Dict,
  Func,
  Markup,
  Range,
  Thing,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** A slice as a key: `object[start:stop:step]`. */
export class Slice {
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;

  constructor(start: Value, stop: Value, step: Value) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

/** `object.name`: an attribute, else an item. */
export function attributeOf(object: Value, name: string): Value {
  const attribute = ownAttribute(object, name);
  if (attribute !== undefined) return attribute;
  const item = itemIn(object, name);
  return item === undefined ? missing(object, `attribute '${name}'`) : item;
}

/** `object[key]`: an item, else an attribute. */
export function itemOf(object: Value, key: Value | Slice): Value {
  if (object instanceof Undefined) return object.fail();
  if (key instanceof Slice) return sliceOf(object, key);
  const item = itemIn(object, key);
  if (item !== undefined) return item;
  const name = asText(key);
  if (name === undefined) return missing(object, 'such an element');
  const attribute = ownAttribute(object, name);
  return attribute === undefined ? missing(object, `attribute '${name}'`) : attribute;
}

function missing(object: Value, what: string): Undefined {
  const owner =
    object === null || typeof object !== 'object' || object instanceof Dict
      ? `'${typeName(object)} object'`
      : `'${typeName(object)}'`;
  return new Undefined(`${owner} has no ${what}`);
}

/** An attribute alone, as the filter `attr` gives it; undefined where there is none. */
export function ownAttribute(object: Value, name: string): Value | undefined {
  if (object instanceof Undefined) {
    return name.startsWith('__') ? undefined : object.fail();
  }
  if (object instanceof Thing && !name.startsWith('_')) return object.attribute(name);
  if (object instanceof Tuple && object.names.includes(name))
    return object.items[object.names.indexOf(name)];
  if (/^__\w+__$/.test(name) && !(object instanceof Dict && object.has(name)))
    return unsafe(object, name);
  if (name === 'format' && typeof object === 'string')
    return new Func(name, (args) => formatBraces(object, args, { attributeOf, itemOf }));
  const method = methodOf(object, name);
  if (method) return method;
  const list = unsupportedMethods(object);
  if (list.unsafe.includes(name)) return unsafe(object, name);
  if (list.unknown.includes(name)) throw new UnsupportedFeature(`${name} of a ${typeName(object)}`);
  if (object instanceof Func && name === 'name') return object.name;
  return undefined;
}

function unsafe(object: Value, name: string): Undefined {
  return new Undefined(`access to attribute '${name}' of '${typeName(object)}' object is unsafe`);
}

/** Undefined where Python would raise a LookupError or a TypeError. */
function itemIn(object: Value, key: Value): Value | undefined {
  if (object instanceof Undefined) return object.fail();
  if (object instanceof Dict) {
    if (Array.isArray(key) || key instanceof Dict) return undefined;
    return object.get(key);
  }
  const index = asInteger(key);
  if (index === undefined) return undefined;
  const at = (length: number): number => Number(index < 0n ? index + BigInt(length) : index);
  if (Array.isArray(object)) return object[at(object.length)];
  if (object instanceof Tuple) return object.items[at(object.items.length)];
  if (object instanceof Range) {
    const place = at(object.length);
    return place >= 0 && place < object.length ? object.at(place) : undefined;
  }
  const text = asText(object);
  if (text === undefined) return undefined;
  const points = codePoints(text);
  return points[at(points.length)];
}

function sliceOf(object: Value, slice: Slice): Value {
  const text = asText(object);
  if (text !== undefined) {
    const part = sliced(codePoints(text), slice).join('');
    return object instanceof Markup ? new Markup(part) : part;
  }
  if (Array.isArray(object)) return sliced(object, slice);
  if (object instanceof Tuple) return new Tuple(sliced(object.items, slice));
  if (object instanceof Range) return slicedRange(object, slice);
  // Jinja asks for an item, and what raises a TypeError there gives a value that does not exist.
  return missing(object, 'such an element');
}

function slicedRange(range: Range, slice: Slice): Range {
  const [start, stop, step] = boundsOf(range.length, slice);
  const place = (index: number): bigint => range.start + range.step * BigInt(index);
  return new Range(place(start), place(stop), range.step * BigInt(step));
}

function sliced<Item>(items: readonly Item[], slice: Slice): Item[] {
  const [start, stop, step] = boundsOf(items.length, slice);
  const part: Item[] = [];
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) part.push(items[i]);
  return part;
}

/** Start, stop and step as places in a sequence of this length. */
function boundsOf(length: number, slice: Slice): [start: number, stop: number, step: number] {
  const step = boundOf(slice.step) ?? 1;
  if (step === 0) throw new TemplateFault('slice step cannot be zero');
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const place = (bound: number | null, otherwise: number): number => {
    if (bound === null) return otherwise;
    return Math.min(most, Math.max(least, bound < 0 ? bound + length : bound));
  };
  const [first, last] = step > 0 ? [least, most] : [most, least];
  return [place(boundOf(slice.start), first), place(boundOf(slice.stop), last), step];
}

function boundOf(value: Value): number | null {
  if (value === null) return null;
  const whole = asInteger(value);
  if (whole === undefined)
    throw new TemplateFault('slice indices must be integers or None or have an __index__ method');
  // Larger numbers are beyond any sequence.
  return Math.max(-1e15, Math.min(1e15, Number(whole)));
}

/**
 * Python's values as a template sees them. An int is a bigint and a float is a number, since Python prints `1`
 * and `1.0` differently. None is null, a list is an array.
 */
import { TemplateFault, UnsupportedFeature } from '../fault.ts';

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Value[]
  | Tuple
  | Dict
  | View
  | Range
  | Lazy
  | Markup
  | Undefined
  | Func
  | Thing;

export interface Arguments {
  positional: readonly Value[];
  named: ReadonlyMap<string, Value>;
}

export class Tuple {
  readonly items: readonly Value[];
  /** Names of items, as in the groups of `groupby`. */
  readonly names: readonly string[];

  constructor(items: readonly Value[], names: readonly string[] = []) {
    this.items = items;
    this.names = names;
  }
}

/** Keeps the order in which keys came. Equal keys of different types, such as 1 and true, are one key. */
export class Dict {
  readonly #entries = new Map<unknown, [key: Value, value: Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hashOf(key))?.[1];
  }

  has(key: Value): boolean {
    return this.#entries.has(hashOf(key));
  }

  set(key: Value, value: Value): void {
    const hash = hashOf(key);
    this.#entries.set(hash, [this.#entries.get(hash)?.[0] ?? key, value]);
  }

  entries(): [Value, Value][] {
    return [...this.#entries.values()];
  }

  keys(): Value[] {
    return this.entries().map(([key]) => key);
  }

  values(): Value[] {
    return this.entries().map(([, value]) => value);
  }
}

/** What `keys()`, `values()` and `items()` of a dict give. */
export class View {
  readonly kind: 'dict_keys' | 'dict_values' | 'dict_items';
  readonly items: readonly Value[];

  constructor(kind: View['kind'], items: readonly Value[]) {
    this.kind = kind;
    this.items = items;
  }
}

export class Range {
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  readonly length: number;

  constructor(start: bigint, stop: bigint, step: bigint) {
    this.start = start;
    this.stop = stop;
    this.step = step;
    const distance = step > 0n ? stop - start : start - stop;
    const stride = step > 0n ? step : -step;
    this.length = distance > 0n ? Number((distance + stride - 1n) / stride) : 0;
  }

  at(index: number): bigint {
    return this.start + this.step * BigInt(index);
  }

  items(): bigint[] {
    return Array.from({ length: this.length }, (_, index) => this.at(index));
  }
}

/** A generator or another iterator: it can be gone through once, and has neither a length nor a text. */
export class Lazy {
  readonly typeName: string;
  readonly iterator: IterableIterator<Value>;

  #isLeft = false;

  constructor(iterator: IterableIterator<Value>, typeName = 'generator') {
    // Without `return`, what looks for one item leaves the rest for the next, as in Python.
    this.iterator = {
      next: () => {
        if (this.#isLeft) throw new UnsupportedFeature('an iterator that a loop has left early');
        return iterator.next();
      },
      [Symbol.iterator]() {
        return this;
      },
    };
    this.typeName = typeName;
  }

  /** A loop, which takes all items at once here, ended before the last: Python would go on behind it. */
  leave(): void {
    this.#isLeft = true;
  }
}

/** A text that counts as HTML already (`safe`, `escape`). */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a name or an attribute that does not exist gives. Printed it is empty; most other uses are faults. */
export class Undefined {
  /** What is said when it is used. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }

  fail(): never {
    throw new TemplateFault(this.reason);
  }
}

/** A function, a method, or a filter bound to its value. */
export class Func {
  readonly name: string;
  readonly call: (args: Arguments) => Value;

  constructor(name: string, call: (args: Arguments) => Value) {
    this.name = name;
    this.call = call;
  }
}

/** An object with attributes: a namespace, a macro, the `loop` of a loop. */
export interface ThingParts {
  attribute: (name: string) => Value | undefined;
  call?: (args: Arguments) => Value;
  /** What printing it writes; null where that would be an address in memory. */
  text?: () => string;
}

export class Thing {
  readonly typeName: string;
  readonly attribute: (name: string) => Value | undefined;
  readonly call: ((args: Arguments) => Value) | null;
  readonly text: (() => string) | null;

  constructor(typeName: string, { attribute, call, text }: ThingParts) {
    this.typeName = typeName;
    this.attribute = attribute;
    this.call = call ?? null;
    this.text = text ?? null;
  }
}

/** A `namespace(…)`: the only thing whose attributes `set` changes. */
export class Namespace extends Thing {
  readonly attributes: Map<string, Value>;

  constructor(attributes: Map<string, Value>) {
    super('Namespace', { attribute: (name) => attributes.get(name) });
    this.attributes = attributes;
  }
}

/** The name of its Python type. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'str';
    default:
      break;
  }
  if (Array.isArray(value)) return 'list';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof Dict) return 'dict';
  if (value instanceof View) return value.kind;
  if (value instanceof Range) return 'range';
  if (value instanceof Markup) return 'Markup';
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Func) return 'function';
  return value.typeName;
}

/** Whether it counts as true in a condition. */
export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === 'object') return sizeOf(value) !== 0;
  // NaN counts as true in Python.
  return typeof value === 'number' ? value !== 0 : Boolean(value);
}

/** How many items it has, in code points for a text; null for a value without a length. */
function sizeOf(value: Value): number | null {
  if (typeof value === 'string') return codePointCount(value);
  if (value instanceof Markup) return codePointCount(value.text);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Tuple || value instanceof View) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof Range) return value.length;
  return value instanceof Undefined ? 0 : null;
}

export function lengthOf(value: Value): bigint {
  const size = sizeOf(value);
  if (size === null) throw new TemplateFault(`object of type '${typeName(value)}' has no len()`);
  return BigInt(size);
}

/** Its items in order; for a dict the keys. Goes through a generator for good. */
export function itemsOf(value: Value): Iterable<Value> {
  const items = iterableOf(value);
  if (!items) throw new TemplateFault(`'${typeName(value)}' object is not iterable`);
  return items;
}

/** Null for a value that cannot be gone through. */
export function iterableOf(value: Value): Iterable<Value> | null {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value;
  if (value instanceof Tuple || value instanceof View) return value.items;
  if (value instanceof Dict) return value.keys();
  if (value instanceof Range) return value.items();
  if (value instanceof Lazy) return value.iterator;
  if (value instanceof Markup) return value.text;
  return value instanceof Undefined ? [] : null;
}

/** Bool, int or float. */
export function isNumber(value: Value): value is boolean | bigint | number {
  return typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number';
}

/** A whole number from an int or a bool; undefined for anything else. */
export function asInteger(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'boolean' ? BigInt(value) : undefined;
}

/** The text of a str or of a Markup; undefined for anything else. */
export function asText(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Markup ? value.text : undefined;
}

export function areEqual(left: Value, right: Value): boolean {
  if (isNumber(left) && isNumber(right)) return numbersEqual(left, right);
  const text = asText(left);
  if (text !== undefined) return text === asText(right);
  if (Array.isArray(left)) return Array.isArray(right) && itemsEqual(left, right);
  if (left instanceof Tuple) return right instanceof Tuple && itemsEqual(left.items, right.items);
  if (left instanceof Dict)
    return (
      right instanceof Dict &&
      left.size === right.size &&
      left.entries().every(([key, value]) => {
        const other = right.get(key);
        return other !== undefined && areEqual(value, other);
      })
    );
  if (left instanceof Range)
    return right instanceof Range && itemsEqual(left.items(), right.items());
  if (left instanceof Undefined) return right instanceof Undefined;
  return left === right;
}

function numbersEqual(left: boolean | bigint | number, right: boolean | bigint | number): boolean {
  // A loose comparison of a bigint with a number compares their mathematical values.
  return plainNumber(left) == plainNumber(right);
}

export function plainNumber(value: boolean | bigint | number): bigint | number {
  return typeof value === 'boolean' ? BigInt(value) : value;
}

function itemsEqual(left: readonly Value[], right: readonly Value[]): boolean {
  return left.length === right.length && left.every((item, i) => areEqual(item, right[i]));
}

/** Equal keys have equal hashes. */
function hashOf(key: Value): unknown {
  if (isNumber(key)) {
    const number = plainNumber(key);
    return typeof number === 'number' && Number.isInteger(number) ? BigInt(number) : number;
  }
  if (key instanceof Markup) return key.text;
  if (Array.isArray(key) || key instanceof Dict)
    throw new TemplateFault(`unhashable type: '${typeName(key)}'`);
  if (!(key instanceof Tuple)) return key;
  // A text cannot be mistaken for a tuple's hash, which begins with a character that is in no other.
  const hashes = key.items.map((item) => {
    const hash = hashOf(item);
    return typeof hash === 'string' ? JSON.stringify(hash) : `${typeof hash} ${String(hash)}`;
  });
  return `\u{10FFFE}${hashes.join()}`;
}

const surrogate = /[\uD800-\uDFFF]/;

export function codePointCount(text: string): number {
  return surrogate.test(text) ? Array.from(text).length : text.length;
}

/** The text as a list of code points. */
export function codePoints(text: string): string[] {
  return Array.from(text);
}

/** What came from JSON: whole numbers are ints. */
export function fromJson(json: unknown): Value {
  if (json === null || json === undefined) return null;
  if (typeof json === 'boolean' || typeof json === 'string') return json;
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json === 'object')
    return new Dict(Object.entries(json).map(([key, value]) => [key, fromJson(value)] as const));
  throw new TemplateFault(`a value of the type ${typeof json} cannot be given to a template`);
}

/** Most characters of a text: beyond them a template only fills the memory. */
const maxTextLength = 1 << 26;
/** Most items of a list that a template makes. */
const maxItems = 1 << 22;

export function checkTextLength(length: number): void {
  if (length > maxTextLength)
    throw new TemplateFault(`it makes a text of more than ${maxTextLength} characters`);
}

export function checkItemCount(count: number): void {
  if (count > maxItems) throw new TemplateFault(`it makes a list of more than ${maxItems} items`);
}

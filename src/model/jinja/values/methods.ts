/** The methods of Python's own types that a template may call, and those that Jinja's sandbox forbids. */
import { given } from './arguments.ts';
import { TemplateFault, UnsupportedFeature } from '../fault.ts';
import { textMethod } from '../text/text-methods.ts';
import {
  areEqual,
  asInteger,
  Dict,
  Func,
  isNumber,
  itemsOf,
  Markup,
  Range,
  Tuple,
  View,
  type Arguments,
  type Value,
} from './values.ts';

/** Undefined where the object has no such method. */
export function methodOf(object: Value, name: string): Func | undefined {
  const call = callOf(object, name);
  return call ? new Func(name, call) : undefined;
}

function callOf(object: Value, name: string): ((args: Arguments) => Value) | null {
  if (typeof object === 'string') return textMethod(object, name);
  if (object instanceof Markup && textMethod(object.text, name))
    throw new UnsupportedFeature(`${name} of a text that is marked as safe`);
  if (object instanceof Dict) return dictMethod(object, name);
  if (Array.isArray(object)) return listMethod(object, name);
  if (object instanceof Tuple) return sequenceMethod(object.items, name, 'tuple');
  if (object instanceof Range) return sequenceMethod(object.items(), name, 'range');
  if (name === 'is_integer' && typeof object === 'number') return () => Number.isInteger(object);
  return null;
}

function dictMethod(dict: Dict, name: string): ((args: Arguments) => Value) | null {
  switch (name) {
    case 'get':
      return (args) => {
        const parameters = given(name, args, ['key', 'default']);
        const value = dict.get(parameters.required('key'));
        return value === undefined ? (parameters.value('default') ?? null) : value;
      };
    case 'items':
      return () =>
        new View(
          'dict_items',
          dict.entries().map((entry) => new Tuple(entry)),
        );
    case 'keys':
      return () => new View('dict_keys', dict.keys());
    case 'values':
      return () => new View('dict_values', dict.values());
    case 'copy':
      return () => new Dict(dict.entries());
    case 'fromkeys':
      return (args) => {
        const parameters = given(name, args, ['iterable', 'value']);
        const value = parameters.value('value') ?? null;
        return new Dict(
          Array.from(itemsOf(parameters.required('iterable')), (key) => [key, value]),
        );
      };
    default:
      return null;
  }
}

function listMethod(list: Value[], name: string): ((args: Arguments) => Value) | null {
  return name === 'copy' ? () => [...list] : sequenceMethod(list, name, 'list');
}

function sequenceMethod(
  items: readonly Value[],
  name: string,
  type: string,
): ((args: Arguments) => Value) | null {
  if (name === 'count')
    return (args) => {
      const value = given(name, args, ['value']).required('value');
      return BigInt(items.filter((item) => areEqual(item, value)).length);
    };
  if (name !== 'index') return null;
  return (args) => {
    const parameters = given(name, args, ['value', 'start', 'stop']);
    const value = parameters.required('value');
    const start = asInteger(parameters.value('start') ?? 0n) ?? 0n;
    const place = items.findIndex((item, i) => BigInt(i) >= start && areEqual(item, value));
    if (place === -1) throw new TemplateFault(`the value is not in the ${type}`);
    return BigInt(place);
  };
}

interface MissingMethods {
  /** They change their object, which the sandbox of transformers forbids. */
  unsafe: readonly string[];
  /** They exist in Python and not here. */
  unknown: readonly string[];
}

const missing: Record<'text' | 'list' | 'dict' | 'number', MissingMethods> = {
  text: { unsafe: [], unknown: ['encode', 'format', 'format_map', 'maketrans', 'translate'] },
  list: {
    unsafe: ['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort'],
    unknown: [],
  },
  dict: { unsafe: ['clear', 'pop', 'popitem', 'setdefault', 'update'], unknown: [] },
  number: {
    unsafe: [],
    unknown: [
      'as_integer_ratio',
      'bit_count',
      'bit_length',
      'conjugate',
      'denominator',
      'from_bytes',
      'fromhex',
      'hex',
      'imag',
      'is_integer',
      'numerator',
      'real',
      'to_bytes',
    ],
  },
};

const none: MissingMethods = { unsafe: [], unknown: [] };

export function unsupportedMethods(object: Value): MissingMethods {
  if (typeof object === 'string' || object instanceof Markup) return missing.text;
  if (Array.isArray(object)) return missing.list;
  if (object instanceof Dict) return missing.dict;
  if (object instanceof View) return { unsafe: [], unknown: ['isdisjoint', 'mapping'] };
  if (object instanceof Range) return { unsafe: [], unknown: ['start', 'stop', 'step'] };
  return isNumber(object) ? missing.number : none;
}

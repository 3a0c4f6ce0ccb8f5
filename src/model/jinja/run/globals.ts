/** The functions that a template finds: those of Jinja 2, and the two that transformers adds. */
import { given } from '../values/arguments.ts';
import { TemplateFault, UnsupportedFeature } from '../fault.ts';
import { textOf } from '../values/print.ts';
import { strftime } from './strftime.ts';
import {
  asInteger,
  Dict,
  Func,
  itemsOf,
  Namespace,
  Range,
  Thing,
  typeName,
  type Arguments,
  type Value,
} from '../values/values.ts';

/** Of Jinja's sandbox. */
const longestRange = 100_000;

/** @param now the time that `strftime_now` writes */
export function globals(now: Date): Map<string, Value> {
  const functions: Record<string, (args: Arguments) => Value> = {
    range: rangeOf,
    dict: dictOf,
    namespace: (args) => new Namespace(new Map(namedEntries(args))),
    cycler: cyclerOf,
    joiner: joinerOf,
    lipsum: () => {
      throw new UnsupportedFeature('the function "lipsum"');
    },
    raise_exception: (args) => {
      throw new TemplateFault(
        textOf(given('raise_exception', args, ['message']).required('message')),
      );
    },
    strftime_now: (args) =>
      strftime(now, textOf(given('strftime_now', args, ['format']).required('format'))),
  };
  return new Map(Object.entries(functions).map(([name, call]) => [name, new Func(name, call)]));
}

function rangeOf({ positional, named }: Arguments): Value {
  const [start = 0n, stop, step = 1n] = positional.length === 1 ? [0n, positional[0]] : positional;
  const bounds = [start, stop, step].map((bound: Value | undefined) =>
    bound === undefined ? undefined : asInteger(bound),
  );
  const [first, end, stride] = bounds;
  if (named.size > 0 || positional.length > 3)
    throw new TemplateFault('range() takes one to three numbers');
  if (first === undefined || end === undefined || stride === undefined)
    throw new TemplateFault('range() takes whole numbers only');
  if (stride === 0n) throw new TemplateFault('range() arg 3 must not be zero');
  const range = new Range(first, end, stride);
  if (range.length > longestRange)
    throw new TemplateFault(
      `Range too big. The sandbox blocks ranges larger than ${longestRange}.`,
    );
  return range;
}

function dictOf(args: Arguments): Value {
  return new Dict(namedEntries(args));
}

/** The pairs of a dict or of a list, and then the named ones. */
function namedEntries({ positional, named }: Arguments): [string, Value][] {
  const [source] = positional as (Value | undefined)[];
  const pairs =
    source instanceof Dict
      ? source.entries()
      : Array.from(source === undefined ? [] : itemsOf(source), (pair): [Value, Value] => {
          const items = [...itemsOf(pair)];
          if (items.length !== 2)
            throw new TemplateFault('a dict is made of pairs, and one of its items is none');
          return [items[0], items[1]];
        });
  // Names of attributes are texts; keys of another type stay what they are in a dict alone.
  return [...(pairs as [string, Value][]), ...named];
}

function cyclerOf({ positional }: Arguments): Value {
  if (positional.length === 0) throw new TemplateFault('at least one item has to be provided');
  let place = 0;
  return new Thing('Cycler', {
    attribute: (name) => {
      if (name === 'current') return positional[place];
      if (name === 'next')
        return new Func(name, () => {
          const item = positional[place];
          place = (place + 1) % positional.length;
          return item;
        });
      if (name !== 'reset') return undefined;
      return new Func(name, () => {
        place = 0;
        return null;
      });
    },
  });
}

function joinerOf(args: Arguments): Value {
  const separator = given('joiner', args, ['sep']).value('sep') ?? ', ';
  let isUsed = false;
  return new Thing('Joiner', {
    attribute: () => undefined,
    call: () => {
      const text = isUsed ? separator : '';
      isUsed = true;
      return text;
    },
  });
}

/** A sentence's name for what cannot be called. */
export function notCallable(value: Value): TemplateFault {
  return new TemplateFault(`'${typeName(value)}' object is not callable`);
}

/** The `loop` of a `for` statement. */
import { given } from '../values/arguments.ts';
import { TemplateFault } from '../fault.ts';
import { areEqual, Func, Thing, Undefined, type Value } from '../values/values.ts';

export interface Loop {
  /** What the template sees. */
  readonly value: Thing;
  /** Goes on to this item, counted from 0. */
  moveTo(place: number): void;
}

/**
 * @param depth of loops that call themselves, from 0
 * @param recurse writes the loop again for other items; null for a loop that is not recursive
 */
export function createLoop(
  items: readonly Value[],
  depth: number,
  recurse: ((items: Value) => Value) | null,
): Loop {
  let place = 0;
  let lastChanged: readonly Value[] | null = null;
  const neighbour = (offset: number, what: string): Value => {
    const at = place + offset;
    return at >= 0 && at < items.length ? items[at] : new Undefined(`there is no ${what} item`);
  };

  const attributes: Record<string, () => Value> = {
    index: () => BigInt(place + 1),
    index0: () => BigInt(place),
    revindex: () => BigInt(items.length - place),
    revindex0: () => BigInt(items.length - place - 1),
    first: () => place === 0,
    last: () => place === items.length - 1,
    length: () => BigInt(items.length),
    depth: () => BigInt(depth + 1),
    depth0: () => BigInt(depth),
    previtem: () => neighbour(-1, 'previous'),
    nextitem: () => neighbour(1, 'next'),
    cycle: () =>
      new Func('cycle', ({ positional }) => {
        if (positional.length === 0) throw new TemplateFault('no items for cycling given');
        return positional[place % positional.length];
      }),
    changed: () =>
      new Func('changed', ({ positional }) => {
        const before = lastChanged;
        lastChanged = positional;
        return before === null || !areEqual([...before], [...positional]);
      }),
  };

  return {
    value: new Thing('LoopContext', {
      attribute: (name) => (Object.hasOwn(attributes, name) ? attributes[name]() : undefined),
      call: (args) => {
        if (!recurse)
          throw new TemplateFault(
            "The loop must have the 'recursive' marker to be called recursively.",
          );
        return recurse(given('loop', args, ['iterable']).required('iterable'));
      },
      text: () => `<LoopContext ${place + 1}/${items.length}>`,
    }),
    moveTo(next) {
      place = next;
    },
  };
}

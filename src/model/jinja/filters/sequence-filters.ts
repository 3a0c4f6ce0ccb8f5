/** Filters over the items of a value. */
import { attributePath } from '../values/attribute-path.ts';
import { given, type Given } from '../values/arguments.ts';
import { TemplateFault } from '../fault.ts';
import { arithmetic, orderOf } from '../values/operators.ts';
import { textOf } from '../values/print.ts';
import { ownAttribute } from '../values/subscripts.ts';
import {
  areEqual,
  asText,
  checkItemCount,
  codePoints,
  Dict,
  isTrue,
  itemsOf,
  Lazy,
  lengthOf,
  Tuple,
  typeName,
  Undefined,
  type Arguments,
  type Value,
} from '../values/values.ts';
import type { Filter, FilterContext } from './filter.ts';

export const sequenceFilters: Record<string, Filter> = {
  attr: (value, args) => {
    const name = textOf(given('attr', args, ['name']).required('name'));
    const attribute = ownAttribute(value, name);
    if (attribute !== undefined) return attribute;
    return new Undefined(`'${typeName(value)} object' has no attribute '${name}'`);
  },
  batch: (value, args) => new Lazy(batches(value, args)),
  count: (value) => lengthOf(value),
  dictsort: sortedEntries,
  first: (value) => {
    for (const item of itemsOf(value)) return item;
    return new Undefined('No first item, sequence was empty.');
  },
  groupby: groups,
  items: (value) => new Lazy(entriesOf(value)),
  last: (value) => {
    if (value instanceof Lazy)
      throw new TemplateFault(`'${value.typeName}' object is not reversible`);
    const items = [...itemsOf(value)];
    return items.length === 0
      ? new Undefined('No last item, sequence was empty.')
      : items[items.length - 1];
  },
  length: (value) => lengthOf(value),
  list: (value) => listOf(value),
  map: (value, args, context) => new Lazy(mapped(value, args, context)),
  max: (value, args) => extreme('max', value, args),
  min: (value, args) => extreme('min', value, args),
  reject: (value, args, context) => new Lazy(chosen(value, args, context, false, false)),
  rejectattr: (value, args, context) => new Lazy(chosen(value, args, context, false, true)),
  reverse: (value) => {
    const text = asText(value);
    if (text !== undefined) return codePoints(text).reverse().join('');
    const items = [...itemsOf(value)].reverse();
    // What has no order of its own is reversed as a list.
    if (value instanceof Lazy) return items;
    return new Lazy(items.values(), `${typeName(value)}_reverseiterator`);
  },
  select: (value, args, context) => new Lazy(chosen(value, args, context, true, false)),
  selectattr: (value, args, context) => new Lazy(chosen(value, args, context, true, true)),
  slice: (value, args) => new Lazy(columns(value, args)),
  sort: sorted,
  sum: (value, args) => {
    const parameters = given('sum', args, ['attribute', 'start']);
    const read = reader(parameters);
    let sum: Value = parameters.value('start') ?? 0n;
    if (asText(sum) !== undefined) throw new TemplateFault("sum() can't sum strings");
    for (const item of itemsOf(value)) sum = arithmetic('+', sum, read(item));
    return sum;
  },
  unique: (value, args) => new Lazy(uniqueItems(value, args)),
};

function listOf(value: Value): Value[] {
  const items = [...itemsOf(value)];
  checkItemCount(items.length);
  return items;
}

/** Reads the attribute that was asked for, or the item itself. */
function reader(parameters: Given): (item: Value) => Value {
  const attribute = parameters.value('attribute') ?? null;
  return attribute === null ? (item) => item : attributePath(attribute);
}

/** Texts of any case are the same, unless `case_sensitive` was given. */
function keyed(parameters: Given, item: Value): Value {
  const text = asText(item);
  return text === undefined || parameters.flag('case_sensitive') ? item : text.toLowerCase();
}

/** In order; items that are equal stay in theirs, also from last to first. */
function inOrder<Item>(items: Item[], keyOf: (item: Item) => Value, isReversed: boolean): Item[] {
  const keys = items.map(keyOf);
  const places = [...items.keys()];
  const key = (place: number): Value => keys[place];
  places.sort((a, b) => (isReversed ? orderOf('<', key(b), key(a)) : orderOf('<', key(a), key(b))));
  return places.map((place) => items[place]);
}

function sorted(value: Value, args: Arguments): Value {
  const parameters = given('sort', args, ['reverse', 'case_sensitive', 'attribute']);
  const attribute = parameters.value('attribute') ?? null;
  const paths =
    typeof attribute === 'string' ? attribute.split(',') : attribute === null ? [] : [attribute];
  const readers = paths.map((path) => attributePath(path));
  const keyOf = (item: Value): Value =>
    readers.length === 0
      ? keyed(parameters, item)
      : readers.map((read) => keyed(parameters, read(item)));
  return inOrder(listOf(value), keyOf, parameters.flag('reverse'));
}

function sortedEntries(value: Value, args: Arguments): Value {
  const parameters = given('dictsort', args, ['case_sensitive', 'by', 'reverse']);
  const by = parameters.text('by') ?? 'key';
  if (by !== 'key' && by !== 'value')
    throw new TemplateFault('You can only sort by either "key" or "value"');
  if (!(value instanceof Dict))
    throw new TemplateFault(`'${typeName(value)}' object has no attribute 'items'`);
  const keyOf = (entry: readonly Value[]): Value => keyed(parameters, entry[by === 'key' ? 0 : 1]);
  return inOrder(value.entries(), keyOf, parameters.flag('reverse')).map(
    (entry) => new Tuple(entry),
  );
}

function extreme(name: 'min' | 'max', value: Value, args: Arguments): Value {
  const parameters = given(name, args, ['case_sensitive', 'attribute']);
  const read = reader(parameters);
  let best: { item: Value; key: Value } | null = null;
  for (const item of itemsOf(value)) {
    const key = keyed(parameters, read(item));
    const isBetter =
      best === null ||
      (name === 'max' ? orderOf('>', key, best.key) > 0 : orderOf('<', key, best.key) < 0);
    if (isBetter) best = { item, key };
  }
  return best === null ? new Undefined('No aggregated item, sequence was empty.') : best.item;
}

function* uniqueItems(value: Value, args: Arguments): IterableIterator<Value> {
  const parameters = given('unique', args, ['case_sensitive', 'attribute']);
  const read = reader(parameters);
  const seen = new Dict();
  for (const item of itemsOf(value)) {
    const key = keyed(parameters, read(item));
    if (seen.has(key)) continue;
    seen.set(key, true);
    yield item;
  }
}

function groups(value: Value, args: Arguments): Value {
  const parameters = given('groupby', args, ['attribute', 'default', 'case_sensitive']);
  const read = attributePath(parameters.required('attribute'), parameters.value('default') ?? null);
  const keyOf = (item: Value): Value => keyed(parameters, read(item));
  const found: { key: Value; items: Value[] }[] = [];
  for (const item of inOrder(listOf(value), keyOf, false)) {
    const last = found.at(-1);
    if (last && areEqual(last.key, keyOf(item))) last.items.push(item);
    else found.push({ key: keyOf(item), items: [item] });
  }
  return found.map(({ items }) => new Tuple([read(items[0]), items], ['grouper', 'list']));
}

function* entriesOf(value: Value): IterableIterator<Value> {
  if (value instanceof Undefined) return;
  if (!(value instanceof Dict)) throw new TemplateFault('Can only get item pairs from a mapping.');
  for (const entry of value.entries()) yield new Tuple(entry);
}

function* mapped(value: Value, args: Arguments, context: FilterContext): IterableIterator<Value> {
  if (!isTrue(value)) return;
  const [name, ...positional] = args.positional;
  if (args.positional.length === 0) {
    const parameters = given('map', args, ['attribute', 'default']);
    const read = attributePath(
      parameters.required('attribute'),
      parameters.value('default') ?? null,
    );
    for (const item of itemsOf(value)) yield read(item);
    return;
  }
  const filterArguments = { positional, named: args.named };
  for (const item of itemsOf(value)) yield context.filter(textOf(name), item, filterArguments);
}

function* chosen(
  value: Value,
  args: Arguments,
  context: FilterContext,
  wanted: boolean,
  byAttribute: boolean,
): IterableIterator<Value> {
  if (!isTrue(value)) return;
  const [attribute, ...rest] = args.positional;
  if (byAttribute && args.positional.length === 0)
    throw new TemplateFault('Missing parameter for attribute name');
  const read = byAttribute ? attributePath(attribute) : (item: Value) => item;
  const [test, ...positional] = byAttribute ? rest : args.positional;
  const isTested = byAttribute ? rest.length > 0 : args.positional.length > 0;
  for (const item of itemsOf(value)) {
    const tried = read(item);
    const holds = isTested
      ? context.test(textOf(test), tried, { positional, named: args.named })
      : isTrue(tried);
    if (holds === wanted) yield item;
  }
}

function* batches(value: Value, args: Arguments): IterableIterator<Value> {
  const parameters = given('batch', args, ['linecount', 'fill_with']);
  parameters.required('linecount');
  const size = parameters.integer('linecount') ?? 0;
  const fill = parameters.value('fill_with') ?? null;
  let batch: Value[] = [];
  for (const item of itemsOf(value)) {
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length === 0) return;
  if (fill !== null && batch.length < size) {
    checkItemCount(size);
    batch = [...batch, ...Array.from({ length: size - batch.length }, () => fill)];
  }
  yield batch;
}

function* columns(value: Value, args: Arguments): IterableIterator<Value> {
  const parameters = given('slice', args, ['slices', 'fill_with']);
  parameters.required('slices');
  const count = parameters.integer('slices') ?? 0;
  const fill = parameters.value('fill_with') ?? null;
  const items = listOf(value);
  checkItemCount(count);
  if (count === 0) throw new TemplateFault('integer division or modulo by zero');
  const size = Math.floor(items.length / count);
  const longer = items.length % count;
  let start = 0;
  for (let column = 0; column < count; column++) {
    const end = start + size + (column < longer ? 1 : 0);
    const part = items.slice(start, end);
    if (fill !== null && column >= longer) part.push(fill);
    yield part;
    start = end;
  }
}

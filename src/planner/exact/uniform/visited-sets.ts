/** The states of a search over laps, grouped by the set of devices that a lap has visited. */

export interface VisitedSets {
  size: () => number;
  /** The number of members of each kind in the set of this slot: `kindCount` numbers, valid until the next `add`. */
  countsOf: (slot: number) => Uint16Array;
  /** The slot of the set with one member of `kind` more (or less) than the set in `slot`; -1 if there is none. */
  find: (slot: number, kind: number, step: 1 | -1) => number;
  /** Adds the set with one member of `kind` more than the set in `slot`, and returns its slot. */
  add: (slot: number, kind: number) => number;
  /** The least transfer ms of a lap at [slot * statesPerSet + state]; infinite if no lap leads there. */
  ms: () => Float64Array;
  /** The state before, in a code of the search's own. */
  before: () => Int32Array;
}

/**
 * @param start the members of each kind visited before the first step
 * @param most the most members of each kind
 */
export function createVisitedSets(
  start: number[],
  most: number[],
  statesPerSet: number,
): VisitedSets {
  const kindCount = start.length;
  const strides = stridesOf(most);
  const slots = new Map<number | string, number>();
  let keys: number[] = [];
  let counts = Uint16Array.from(start);
  let ms = new Float64Array(statesPerSet).fill(Infinity);
  let before = new Int32Array(statesPerSet);
  let capacity = 1;
  let size = 1;

  const keyOf = (slot: number, kind: number, step: number): number | string => {
    if (strides !== null) return keys[slot] + step * strides[kind];
    const changed = counts.slice(slot * kindCount, (slot + 1) * kindCount);
    changed[kind] += step;
    return changed.join();
  };
  if (strides === null) slots.set(counts.join(), 0);
  else {
    keys = [start.reduce((key, count, kind) => key + count * strides[kind], 0)];
    slots.set(keys[0], 0);
  }

  const grow = () => {
    const old = { counts, ms, before };
    capacity *= 2;
    counts = new Uint16Array(capacity * kindCount);
    counts.set(old.counts);
    ms = new Float64Array(capacity * statesPerSet).fill(Infinity);
    ms.set(old.ms);
    before = new Int32Array(capacity * statesPerSet);
    before.set(old.before);
  };

  return {
    size: () => size,
    countsOf: (slot) => counts.subarray(slot * kindCount, (slot + 1) * kindCount),
    find: (slot, kind, step) => slots.get(keyOf(slot, kind, step)) ?? -1,
    add: (slot, kind) => {
      if (size === capacity) grow();
      const key = keyOf(slot, kind, 1);
      slots.set(key, size);
      if (typeof key === 'number') keys.push(key);
      counts.copyWithin(size * kindCount, slot * kindCount, (slot + 1) * kindCount);
      counts[size * kindCount + kind]++;
      return size++;
    },
    ms: () => ms,
    before: () => before,
  };
}

/** Mixed-radix strides that give each set its own number; null if the numbers would exceed 2^53. */
function stridesOf(most: number[]): number[] | null {
  const strides: number[] = [];
  let stride = 1;
  for (const count of most) {
    strides.push(stride);
    stride *= count + 1;
    if (stride > Number.MAX_SAFE_INTEGER) return null;
  }
  return strides;
}

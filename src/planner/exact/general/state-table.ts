/**
 * The states of a dynamic programme at one layer of the model: a kind and a word of memory each, with the
 * least cost and the state before.
 */
export interface StateTable {
  size: () => number;
  kindAt: (index: number) => number;
  memoryAt: (index: number) => number;
  msAt: (index: number) => number;
  fromAt: (index: number) => number;
  /** Keeps the state if it is new, or cheaper than before. */
  put: (kind: number, memory: number, ms: number, from: number) => void;
}

/** A hash table with open addressing over typed arrays: a `Map` takes several times as long. */
export function createStateTable(): StateTable {
  let capacity = 64;
  let slots = new Int32Array(capacity * 2).fill(-1);
  let kinds = new Int32Array(capacity);
  let memories = new Int32Array(capacity);
  let costs = new Float64Array(capacity);
  let origins = new Float64Array(capacity);
  let size = 0;

  const slotOf = (kind: number, memory: number): number => {
    const mixed = Math.imul(memory ^ Math.imul(kind + 1, 0x9e3779b1), 0x85ebca6b);
    let slot = ((mixed >>> 15) ^ mixed) & (slots.length - 1);
    for (;;) {
      const index = slots[slot];
      if (index < 0 || (memories[index] === memory && kinds[index] === kind)) return slot;
      slot = (slot + 1) & (slots.length - 1);
    }
  };
  const grow = () => {
    capacity *= 2;
    const old = { kinds, memories, costs, origins };
    kinds = new Int32Array(capacity);
    kinds.set(old.kinds);
    memories = new Int32Array(capacity);
    memories.set(old.memories);
    costs = new Float64Array(capacity);
    costs.set(old.costs);
    origins = new Float64Array(capacity);
    origins.set(old.origins);
    slots = new Int32Array(capacity * 2).fill(-1);
    for (let index = 0; index < size; index++) slots[slotOf(kinds[index], memories[index])] = index;
  };

  return {
    size: () => size,
    kindAt: (index) => kinds[index],
    memoryAt: (index) => memories[index],
    msAt: (index) => costs[index],
    fromAt: (index) => origins[index],
    put: (kind, memory, ms, from) => {
      if (size === capacity) grow();
      const slot = slotOf(kind, memory);
      const index = slots[slot];
      if (index < 0) {
        slots[slot] = size;
        kinds[size] = kind;
        memories[size] = memory;
        costs[size] = ms;
        origins[size] = from;
        size++;
      } else if (ms < costs[index]) {
        costs[index] = ms;
        origins[index] = from;
      }
    },
  };
}

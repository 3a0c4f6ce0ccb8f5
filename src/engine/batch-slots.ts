/**
 * Assigns each sequence a slot of a batch. Keys and values must be at the slot's place, and moving them costs
 * a copy, so a sequence keeps its slot while it takes part in batches.
 */
export interface BatchSlots {
  /** The slots of these sequences, in their order. The batch has all slots up to the highest of them. */
  arrange(sequences: readonly number[]): number[];
  has(sequence: number): boolean;
  release(sequence: number): void;
}

/** A slot may be reassigned when its sequence has missed more than this many batches. */
const forgottenAfter = 32;

export function createBatchSlots(): BatchSlots {
  /** For each slot its sequence, and the last batch that it took part in. */
  const holders: ({ sequence: number; lastBatch: number } | null)[] = [];
  let batch = 0;

  function slotOf(sequence: number): number {
    return holders.findIndex((holder) => holder?.sequence === sequence);
  }

  /** The lowest slot that may be assigned, or a new one after the last. */
  function lowestFree(): number {
    const free = holders.findIndex(
      (holder) => !holder || batch - holder.lastBatch > forgottenAfter,
    );
    return free === -1 ? holders.length : free;
  }

  function take(slot: number, sequence: number): void {
    holders[slot] = { sequence, lastBatch: batch };
  }

  function release(sequence: number): void {
    const slot = slotOf(sequence);
    if (slot !== -1) holders[slot] = null;
    while (holders.length > 0 && holders[holders.length - 1] === null) holders.pop();
  }

  return {
    arrange(sequences) {
      batch++;
      for (const sequence of sequences) {
        const slot = slotOf(sequence);
        if (slot !== -1) take(slot, sequence);
      }
      for (const sequence of sequences) if (slotOf(sequence) === -1) take(lowestFree(), sequence);
      const slots = sequences.map(slotOf);
      // Unused slots between them are computed for nothing. There must be no more of those than of the
      // others.
      for (;;) {
        const highest = Math.max(...slots);
        const lower = lowestFree();
        if (highest < 2 * sequences.length || lower > highest) return slots;
        const moving = slots.indexOf(highest);
        release(sequences[moving]);
        take(lower, sequences[moving]);
        slots[moving] = lower;
      }
    },
    has: (sequence) => slotOf(sequence) !== -1,
    release,
  };
}

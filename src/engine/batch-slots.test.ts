import { describe, expect, it } from 'vitest';
import { createBatchSlots } from './batch-slots.ts';

describe('batch slots', () => {
  it('are kept while their sequences take part', () => {
    const slots = createBatchSlots();
    expect(slots.arrange([7, 8, 9])).toEqual([0, 1, 2]);
    expect(slots.arrange([9, 7])).toEqual([2, 0]);
    expect(slots.arrange([10, 8])).toEqual([3, 1]);
  });

  it('go to the next sequence once theirs has ended', () => {
    const slots = createBatchSlots();
    slots.arrange([1, 2, 3]);
    slots.release(2);
    expect(slots.has(2)).toBe(false);
    expect(slots.arrange([1, 3, 4])).toEqual([0, 2, 1]);
  });

  it('go to another once theirs has missed many batches', () => {
    const slots = createBatchSlots();
    slots.arrange([1, 2, 3]);
    for (let batch = 0; batch < 32; batch++) slots.arrange([2, 3]);
    expect(slots.arrange([2, 3])).toEqual([1, 2]);
    expect(slots.arrange([2, 3, 4])).toEqual([1, 2, 0]);
    expect(slots.has(1)).toBe(false);
  });

  it('are moved down where more slots would idle than compute', () => {
    const slots = createBatchSlots();
    slots.arrange([1, 2, 3, 4]);
    for (const sequence of [1, 2, 3]) slots.release(sequence);
    expect(slots.arrange([4])).toEqual([0]);
    expect(slots.arrange([4, 5])).toEqual([0, 1]);
  });

  it('leave slots idle for sequences that will be back', () => {
    const slots = createBatchSlots();
    slots.arrange([1, 2, 3, 4]);
    expect(slots.arrange([4])).toEqual([3]);
    expect(slots.arrange([1, 2, 3, 4])).toEqual([0, 1, 2, 3]);
  });
});

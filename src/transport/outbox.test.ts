import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOutbox, listDue } from './outbox.ts';

const open = { isOpen: true };
const ended = { isOpen: false };

function have(messages: number, due: [sequence: number, number: number][] = []) {
  return { kind: 'have', messages, bulk: 0, due: listDue(new Map(due)), ask: false } as const;
}

function slice(byte: number): Uint8Array<ArrayBuffer>[] {
  return [new Uint8Array(100).fill(byte)];
}

function firstBytes(slices: Uint8Array[] | undefined): number[] {
  return (slices ?? []).map(([byte]) => byte);
}

describe('what a broken connection took with it', () => {
  it('is what the other side lacks, in the order in which it was sent', () => {
    const outbox = createOutbox();
    for (const byte of [0, 1, 2, 3]) {
      const number = outbox.numberFrame(7);
      outbox.keepFrame(7, number, slice(byte), [ended]);
      outbox.keepMessage(outbox.numberMessage(), `message ${byte}`, [ended]);
    }
    const lacking = outbox.takeLacking(have(3, [[7, 2]]), open);
    expect(lacking?.messages).toEqual(['message 3']);
    expect(firstBytes(lacking?.slices)).toEqual([2, 3]);
  });

  it('is not what another connection still brings', () => {
    const outbox = createOutbox();
    outbox.keepFrame(1, outbox.numberFrame(1), slice(1), [open]);
    outbox.keepFrame(1, outbox.numberFrame(1), slice(2), [open, ended]);
    outbox.keepFrame(1, outbox.numberFrame(1), slice(3), []);
    expect(firstBytes(outbox.takeLacking(have(0), open)?.slices)).toEqual([2, 3]);
    expect(outbox.takeLacking(have(0), open)?.slices).toEqual([]);
  });

  it('whichever frames of whichever sequences arrived, is exactly the others', () => {
    const sent = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 });
    const arrived = fc.array(fc.nat({ max: 60 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(sent, arrived, (sequences, counts) => {
        const outbox = createOutbox();
        const lacked: number[] = [];
        const due = new Map<number, number>();
        sequences.forEach((sequence, index) => {
          const number = outbox.numberFrame(sequence);
          outbox.keepFrame(sequence, number, slice(index), [ended]);
          if (number >= counts[sequence]) lacked.push(index);
          else due.set(sequence, number + 1);
        });
        const slices = outbox.takeLacking(have(0, [...due]), open)?.slices;
        expect(firstBytes(slices)).toEqual(lacked);
      }),
    );
  });
});

describe('what is kept', () => {
  it('is bounded, and a loss that goes beyond it is told', () => {
    const outbox = createOutbox({ frameBytes: 250, messageCharacters: 1000 });
    for (const byte of [0, 1, 2]) outbox.keepFrame(1, outbox.numberFrame(1), slice(byte), [ended]);
    expect(outbox.takeLacking(have(0, [[1, 0]]), open)).toBeNull();
    expect(firstBytes(outbox.takeLacking(have(0, [[1, 1]]), open)?.slices)).toEqual([1, 2]);
  });

  it('is bounded for messages, too', () => {
    const outbox = createOutbox({ frameBytes: 1000, messageCharacters: 10 });
    for (const text of ['first', 'second'])
      outbox.keepMessage(outbox.numberMessage(), text, [ended]);
    expect(outbox.takeLacking(have(0), open)).toBeNull();
    expect(outbox.takeLacking(have(1), open)?.messages).toEqual(['second']);
    expect(outbox.takeLacking(have(2), open)?.messages).toEqual([]);
  });

  it('is forgotten after a while, and what had long arrived is no loss', () => {
    const outbox = createOutbox();
    outbox.keepFrame(1, outbox.numberFrame(1), slice(1), [ended]);
    outbox.forget(-1);
    expect(outbox.takeLacking(have(0, [[1, 1]]), open)?.slices).toEqual([]);
    expect(outbox.takeLacking(have(0, [[1, 0]]), open)).toBeNull();
  });
});

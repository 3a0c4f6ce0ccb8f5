import { describe, expect, it } from 'vitest';
import { createBulkQueue, type BulkWay } from './bulk-queue.ts';
import { LinkError } from './link-error.ts';

/** A way for large messages that notes what it is given; ended, it takes no more. */
function way() {
  const sent: { number: number; bytes: number }[] = [];
  const lane = {
    isOpen: true,
    bulk: {
      send(bytes: Uint8Array, _kind: string, number: number): Promise<void> {
        if (!lane.isOpen) return Promise.reject(new LinkError('closed', 'it ended'));
        sent.push({ number, bytes: bytes.length });
        return Promise.resolve();
      },
    },
  };
  return { lane, sent };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('large messages', () => {
  it('count as sent when the other side has them', async () => {
    const { lane, sent } = way();
    const queue = createBulkQueue(() => Promise.resolve(lane));
    const done: number[] = [];
    for (const size of [10, 20, 30])
      void queue.send(new Uint8Array(size)).then(() => done.push(size));
    await settled();
    expect(sent.map(({ bytes }) => bytes)).toEqual([10, 20]);
    expect(done).toEqual([]);
    queue.received(1);
    await settled();
    expect(sent.map(({ number }) => number)).toEqual([0, 1, 2]);
    expect(done).toEqual([10]);
  });

  it('that a connection took with it go again over the next, in order', async () => {
    const [first, second] = [way(), way()];
    let current = first.lane;
    const queue = createBulkQueue(() => Promise.resolve(current));
    const all = [10, 20].map((size) => queue.send(new Uint8Array(size)));
    await settled();
    first.lane.isOpen = false;
    current = second.lane;
    queue.received(1);
    queue.resume();
    await settled();
    expect(second.sent).toEqual([{ number: 1, bytes: 20 }]);
    queue.received(2);
    await Promise.all(all);
  });

  it('go on where the connection broke while another one was being opened', async () => {
    const [first, second] = [way(), way()];
    const opening: ((lane: BulkWay) => void)[] = [];
    const queue = createBulkQueue(() => new Promise((resolve) => opening.push(resolve)));
    const open = async (lane: BulkWay): Promise<void> => {
      opening.shift()?.(lane);
      await settled();
    };
    const all = [10, 20].map((size) => queue.send(new Uint8Array(size)));
    await open(first.lane);
    expect(first.sent).toEqual([{ number: 0, bytes: 10 }]);
    // The second message waits for its connection.
    first.lane.isOpen = false;
    queue.resume();
    await open(second.lane);
    // It comes after the first one, which goes again: each asks for its connection anew.
    await open(second.lane);
    await open(second.lane);
    expect(second.sent).toEqual([
      { number: 0, bytes: 10 },
      { number: 1, bytes: 20 },
    ]);
    queue.received(2);
    await Promise.all(all);
  });

  it('change to another connection only when what went before has arrived', async () => {
    const [first, second] = [way(), way()];
    let current = first.lane;
    const queue = createBulkQueue(() => Promise.resolve(current));
    void queue.send(new Uint8Array(10));
    await settled();
    current = second.lane;
    void queue.send(new Uint8Array(20));
    await settled();
    expect(second.sent).toEqual([]);
    queue.received(1);
    await settled();
    expect(second.sent).toEqual([{ number: 1, bytes: 20 }]);
  });

  it('are refused if they are too long, or if the link ends before they are there', async () => {
    const { lane } = way();
    const queue = createBulkQueue(() => Promise.resolve(lane));
    await expect(queue.send(new Uint8Array(9 * 1024 * 1024))).rejects.toThrow(/send it in parts/);
    const unfinished = queue.send(new Uint8Array(10));
    queue.close();
    await expect(unfinished).rejects.toThrow(LinkError);
  });

  it('that were never sent cannot have arrived', () => {
    const queue = createBulkQueue(() => Promise.resolve(way().lane));
    expect(() => queue.received(1)).toThrow(LinkError);
  });
});

import { describe, expect, it } from 'vitest';
import { createBursts } from './bursts.ts';

const report = { bytes: 1000, tookMs: 2 };

describe('bursts', () => {
  it('hear what the other side says of each of them, in turn', async () => {
    const sent: number[] = [];
    const bursts = createBursts((bytes) => Promise.resolve(void sent.push(bytes.length)), 1000);
    const both = [bursts.send(10), bursts.send(20)];
    bursts.reported(report);
    bursts.reported({ ...report, tookMs: 3 });
    expect(await Promise.all(both)).toEqual([report, { ...report, tookMs: 3 }]);
    expect(sent).toEqual([10, 20]);
  });

  it('do not wait for one that the connection took with it', async () => {
    let breaks = true;
    const bursts = createBursts(
      () => (breaks ? Promise.reject(new Error('the connection broke')) : Promise.resolve()),
      1000,
    );
    await expect(bursts.send(10)).rejects.toThrow('the connection broke');
    breaks = false;
    const next = bursts.send(10);
    bursts.reported(report);
    expect(await next).toEqual(report);
  });

  it('do not wait for one that nothing was heard of in time', async () => {
    const bursts = createBursts(() => Promise.resolve(), 5);
    await expect(bursts.send(10)).rejects.toThrow('did not report a bandwidth test in time');
    const next = bursts.send(10);
    bursts.reported(report);
    expect(await next).toEqual(report);
  });
});

import { describe, expect, it } from 'vitest';
import { createTurns } from './pipeline-turns.ts';

const never = new AbortController().signal;

async function isPending(turn: Promise<void>): Promise<boolean> {
  const later = new Promise<string>((resolve) => setImmediate(resolve, 'pending'));
  return (await Promise.race([turn.then(() => 'done'), later])) === 'pending';
}

describe('turns', () => {
  it('come at once without bubbles', async () => {
    const turns = createTurns('no-bubbles');
    turns.enter();
    turns.enter();
    expect(await isPending(turns.next(never))).toBe(false);
  });

  it('come together with bubbles, once everybody is there', async () => {
    const turns = createTurns('bubbles');
    turns.enter();
    turns.enter();
    const first = turns.next(never);
    expect(await isPending(first)).toBe(true);
    const second = turns.next(never);
    await Promise.all([first, second]);
    expect(await isPending(turns.next(never))).toBe(true);
  });

  it('wait for nobody who has left', async () => {
    const turns = createTurns('bubbles');
    turns.enter();
    const leave = turns.enter();
    const waiting = turns.next(never);
    expect(await isPending(waiting)).toBe(true);
    leave();
    await waiting;
  });

  it('wait for nobody who was stopped', async () => {
    const turns = createTurns('bubbles');
    const leaveFirst = turns.enter();
    turns.enter();
    const stopping = new AbortController();
    const stopped = turns.next(stopping.signal);
    stopping.abort();
    await expect(stopped).rejects.toThrow('stopped');
    const waiting = turns.next(never);
    expect(await isPending(waiting)).toBe(true);
    leaveFirst();
    await waiting;
    await expect(turns.next(AbortSignal.abort())).rejects.toThrow('stopped');
  });
});

import { describe, expect, it } from 'vitest';
import { createConditionVariable } from './condition-variable.ts';

describe('a condition variable', () => {
  it('resolves at once where the condition holds, and else at the first notice that it does', async () => {
    const ready = createConditionVariable();
    let value: number | null = 1;
    expect(await ready.until(() => value)).toBe(1);
    value = null;
    const waiting = ready.until(() => value);
    ready.notify();
    value = 2;
    ready.notify();
    value = 3;
    ready.notify();
    expect(await waiting).toBe(2);
  });

  it('rejects with what the condition throws', async () => {
    const ready = createConditionVariable();
    const broken = (): null => {
      throw new Error('there is no plan');
    };
    await expect(ready.until(broken)).rejects.toThrow('there is no plan');
  });

  it('rejects with the reason of its signal, and checks no more', async () => {
    const ready = createConditionVariable();
    const stopping = new AbortController();
    let checked = 0;
    const never = (): null => {
      checked++;
      return null;
    };
    const waiting = ready.until(never, stopping.signal);
    stopping.abort(new Error('stopped by hand'));
    await expect(waiting).rejects.toThrow('stopped by hand');
    ready.notify();
    expect(checked).toBe(1);
    await expect(ready.until(never, stopping.signal)).rejects.toThrow('stopped by hand');
  });
});

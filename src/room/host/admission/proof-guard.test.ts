import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LinkError } from '../../../transport/index.ts';
import {
  createProofGuard,
  freeFailures,
  longestDelayMs,
  memoryMs,
  mostAtOnce,
  type ProofGuard,
} from './proof-guard.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const member = 'f'.repeat(64);
const stranger = '0'.repeat(64);

function newGuard() {
  const onSuspicion = vi.fn();
  const guard = createProofGuard({ isKnown: (fingerprint) => fingerprint === member, onSuspicion });
  return { guard, onSuspicion };
}

const wrongKey = new LinkError('wrong-key', 'The room’s key does not fit.');

async function fail(guard: ProofGuard, times: number): Promise<void> {
  for (let time = 0; time < times; time++)
    await expect(guard.prove(() => Promise.reject(wrongKey))).rejects.toBe(wrongKey);
}

/** How long a newcomer with this certificate waits for its proof to begin, ms. */
async function delayOf(guard: ProofGuard, fingerprint: string): Promise<number> {
  const startedMs = performance.now();
  const proving = guard.prove(async (beforeProof) => {
    await beforeProof(fingerprint);
    return performance.now() - startedMs;
  });
  await vi.advanceTimersByTimeAsync(longestDelayMs);
  return proving;
}

it('lets a few failures pass, then has newcomers wait longer with each, up to a bound', async () => {
  const { guard } = newGuard();
  await fail(guard, freeFailures - 1);
  expect(await delayOf(guard, stranger)).toBe(0);
  const delays: number[] = [];
  for (let more = 0; more < 8; more++) {
    await fail(guard, 1);
    delays.push(await delayOf(guard, stranger));
  }
  expect(delays.slice(0, 4)).toEqual([500, 1000, 2000, 4000]);
  expect(delays.at(-1)).toBe(longestDelayMs);
});

it('keeps nobody waiting who was in the room before', async () => {
  const { guard } = newGuard();
  await fail(guard, 20);
  expect(await delayOf(guard, member)).toBe(0);
});

it('tells the host once, and again only after peace', async () => {
  const { guard, onSuspicion } = newGuard();
  await fail(guard, 20);
  expect(onSuspicion.mock.calls).toEqual([[freeFailures]]);
  await vi.advanceTimersByTimeAsync(memoryMs + 1);
  expect(await delayOf(guard, stranger)).toBe(0);
  await fail(guard, freeFailures);
  expect(onSuspicion).toHaveBeenCalledTimes(2);
});

it('takes no notice of a network that fails', async () => {
  const { guard, onSuspicion } = newGuard();
  const noPath = new LinkError('no-path', 'No path.');
  for (let time = 0; time < 20; time++)
    await expect(guard.prove(() => Promise.reject(noPath))).rejects.toBe(noPath);
  expect(onSuspicion).not.toHaveBeenCalled();
  expect(await delayOf(guard, stranger)).toBe(0);
});

it('has only so many under way at once, and more once those are through', async () => {
  const { guard } = newGuard();
  let finish = (): void => undefined;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const under = Array.from({ length: mostAtOnce }, () => guard.prove(() => done));
  await expect(guard.prove(() => Promise.resolve())).rejects.toThrow('Too many devices join');
  finish();
  await Promise.all(under);
  await expect(guard.prove(() => Promise.resolve('in'))).resolves.toBe('in');
});

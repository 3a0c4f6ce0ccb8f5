import { expect, it, vi } from 'vitest';
import { createServingLine, mostWaiting, servedAtOnce, servedInAll } from './serving-line.ts';

/** A line whose works end when told to, and who is being served. */
function newLine() {
  const line = createServingLine();
  const served: { deviceId: string; end: () => void }[] = [];
  const add = (deviceId: string, count = 1): boolean[] =>
    Array.from({ length: count }, () =>
      line.add(
        deviceId,
        () => new Promise((resolve) => served.push({ deviceId, end: () => resolve() })),
      ),
    );
  const names = () => served.map(({ deviceId }) => deviceId).join('');
  return { line, served, add, names };
}

it('serves a few at once to each device and to all, the others waiting', () => {
  const { add, names } = newLine();
  for (const deviceId of 'abc') add(deviceId, 10);
  expect(names()).toBe('a'.repeat(servedAtOnce) + 'b'.repeat(servedInAll - servedAtOnce));
});

it('gives every device its turn, whoever asks most', async () => {
  const { served, add, names } = newLine();
  add('a', 30);
  add('b', 2);
  add('c', 2);
  expect(names()).toBe('aaaabbcc');
  for (const { end } of served.slice(0, 4)) end();
  add('b', 4);
  await vi.waitFor(() => expect(served).toHaveLength(12));
  expect(names().slice(8).split('').sort().join('')).toMatch(/^a+b+$/);
});

it('takes only so much from one device, and more once some is done', async () => {
  const { served, add } = newLine();
  const taken = add('a', servedAtOnce + mostWaiting + 3);
  expect(taken.filter((isTaken) => !isTaken)).toHaveLength(3);
  served[0].end();
  await vi.waitFor(() => expect(served).toHaveLength(servedAtOnce + 1));
  expect(add('a')).toEqual([true]);
});

it('does nothing more for a device that is lost', async () => {
  const { line, served, add } = newLine();
  add('a', 10);
  line.lost('a');
  for (const { end } of [...served]) end();
  add('b');
  await vi.waitFor(() => expect(served.at(-1)?.deviceId).toBe('b'));
  expect(served).toHaveLength(servedAtOnce + 1);
});

it('goes on after work that failed', async () => {
  const { line, add, served } = newLine();
  for (let count = 0; count < servedAtOnce; count++)
    line.add('a', () => Promise.reject(new Error('no link')).catch(() => undefined));
  add('a');
  await vi.waitFor(() => expect(served).toHaveLength(1));
});

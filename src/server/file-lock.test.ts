import { EventEmitter, once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withFileLock } from './file-lock.ts';
import { leaveAbandonedLock, readLockNotes, startLockProcess } from './testing/lock-process.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

test('one after the other, and what a holder returns or throws comes back', async () => {
  const path = join(await temporaryFolder(), 'folder/lock');
  const order: string[] = [];
  const events = new EventEmitter();
  const first = withFileLock(path, async () => {
    order.push('first in');
    await once(events, 'let go');
    order.push('first out');
    return 1;
  });
  await expect.poll(() => order).toEqual(['first in']);
  const second = withFileLock(path, () => {
    order.push('second in');
    return Promise.reject(new Error('second failed'));
  });
  const refused = expect(second).rejects.toThrow('second failed');
  events.emit('let go');
  expect(await first).toBe(1);
  await refused;
  expect(order).toEqual(['first in', 'first out', 'second in']);
  expect(await withFileLock(path, () => Promise.resolve('free again'))).toBe('free again');
  expect(await readdir(`${path}.d`)).toEqual([]);
});

test('a lock of a process that has died holds nobody up, and leaves nothing behind', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'lock');
  await leaveAbandonedLock(path, join(folder, 'log'));
  expect(await readdir(`${path}.d`)).toHaveLength(1);
  expect(await withFileLock(path, () => readdir(`${path}.d`))).toEqual([
    expect.stringMatching(`^\\d+-${process.pid}-`),
  ]);
});

test('nor does one whose number some other process has got since', async () => {
  const path = join(await temporaryFolder(), 'lock');
  const claim = join(`${path}.d`, `1-${process.ppid}-00000000-0000-4000-8000-000000000000`);
  await mkdir(`${path}.d`);
  await writeFile(claim, '');
  const twoMinutesAgo = new Date(Date.now() - 120_000);
  await utimes(claim, twoMinutesAgo, twoMinutesAgo);
  expect(await withFileLock(path, () => Promise.resolve('taken'))).toBe('taken');
});

test('processes take turns, though one after the other is killed while it holds the lock', async () => {
  const folder = await temporaryFolder();
  const [path, log] = [join(folder, 'lock'), join(folder, 'log')];
  await leaveAbandonedLock(path, log);
  const killed = new Set((await readLockNotes(log)).map(({ pid }) => pid));
  const takers = [12, 12, 12].map((times) => startLockProcess(path, log, times));
  const ends = takers.map((taker) => once(taker, 'exit'));
  for (let round = 0; round < 2; round++) {
    const holder = startLockProcess(path, log, 0);
    const { pid = 0 } = holder;
    await expect
      .poll(async () => (await readLockNotes(log)).some((note) => note.pid === pid), {
        timeout: 20_000,
      })
      .toBe(true);
    killed.add(pid);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
  expect((await Promise.all(ends)).map(([status]) => Number(status))).toEqual([0, 0, 0]);

  let holder: number | null = null;
  for (const { pid, what } of await readLockNotes(log)) {
    if (what === 'out') {
      expect(pid).toBe(holder);
      holder = null;
    } else {
      if (holder !== null) expect(killed, 'another one held it').toContain(holder);
      holder = pid;
    }
  }
  if (holder !== null) expect(killed, 'one never let go').toContain(holder);
});

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withFileLock } from './file-lock.ts';
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
});

test('a lock of a process that has died holds nobody up', async () => {
  const path = join(await temporaryFolder(), 'lock');
  const other = spawn(process.execPath, ['--version']);
  await once(other, 'close');
  await writeFile(path, String(other.pid));
  expect(await withFileLock(path, () => readFile(path, 'utf8'))).toBe(String(process.pid));
});

test('nor does one whose number some other process has got since', async () => {
  const path = join(await temporaryFolder(), 'lock');
  await writeFile(path, String(process.ppid));
  const twoMinutesAgo = new Date(Date.now() - 120_000);
  await utimes(path, twoMinutesAgo, twoMinutesAgo);
  expect(await withFileLock(path, () => Promise.resolve('taken'))).toBe('taken');
});

/** Starts a process that holds a lock, as another `npm start` in the same folder would. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('hold-lock.ts', import.meta.url));

export interface LockNote {
  pid: number;
  what: 'in' | 'out';
}

/** Takes the lock so many times and ends; 0: holds it until it is killed. */
export function startLockProcess(path: string, log: string, times: number): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', script, path, log, String(times)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Leaves a lock behind, that of a process which was killed while it held it. */
export async function leaveAbandonedLock(path: string, log: string): Promise<void> {
  const holder = startLockProcess(path, log, 0);
  await expect.poll(() => readLockNotes(log), { timeout: 20_000 }).toHaveLength(1);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
}

export async function readLockNotes(log: string): Promise<LockNote[]> {
  const text = await readFile(log, 'utf8').catch(() => '');
  return [...text.matchAll(/^(\d+) (in|out)$/gm)].map(([, pid, what]) => ({
    pid: Number(pid),
    what: what === 'in' ? 'in' : 'out',
  }));
}

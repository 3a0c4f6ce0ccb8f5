/** The lock in whatever order the disk's answers come in: fast-check chooses which taker goes on at each step. */
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import fc, { type Scheduler } from 'fast-check';
import { expect, test, vi } from 'vitest';
import { withFileLock } from './file-lock.ts';
import { leaveAbandonedLock } from './testing/lock-process.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

type Call = (...values: unknown[]) => unknown;

const disk = vi.hoisted((): { scheduler: Scheduler | null } => ({ scheduler: null }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const actual = await importOriginal<Record<string, unknown>>();
  const atOnce = await vi.importActual<Record<string, unknown>>('node:fs');
  const replaced = Object.entries(actual).map(([name, own]): [string, unknown] => {
    const twin = name === 'open' ? openAtOnce : atOnce[`${name}Sync`];
    if (!isCall(own) || !isCall(twin)) return [name, own];
    return [name, (...values: unknown[]) => (disk.scheduler ? later(name, twin) : own)(...values)];
  });
  return Object.fromEntries(replaced);
});

vi.mock('node:timers/promises', () => ({
  setTimeout: () => disk.scheduler?.schedule(Promise.resolve(), 'wait'),
}));

function isCall(value: unknown): value is Call {
  return typeof value === 'function';
}

/** Happens now; what came of it is told later. */
function later(name: string, call: Call): (...values: unknown[]) => Promise<unknown> {
  return async (...values) => {
    const told = answerOf(() => call(...values));
    await disk.scheduler?.schedule(Promise.resolve(), name);
    return told();
  };
}

function answerOf(act: () => unknown): () => unknown {
  try {
    const value = act();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function openAtOnce(path: unknown, flags: unknown): unknown {
  const file = openSync(String(path), String(flags));
  return {
    writeFile: later('handle.writeFile', (text) => writeSync(file, String(text))),
    close: later('handle.close', () => closeSync(file)),
  };
}

/** So many at once, in an order that fast-check chooses; resolves with how many held the lock at the same time. */
async function takeTogether(
  scheduler: Scheduler,
  path: string,
  meanwhile?: () => void,
): Promise<number> {
  let holders = 0;
  let mostHolders = 0;
  const work = async (): Promise<void> => {
    mostHolders = Math.max(mostHolders, ++holders);
    for (let step = 0; step < 3; step++) await scheduler.schedule(Promise.resolve(), 'work');
    holders--;
  };
  disk.scheduler = scheduler;
  try {
    const takers = Array.from({ length: 3 }, () => withFileLock(path, work));
    for (let time = 0; meanwhile && time < 5; time++)
      void scheduler.schedule(Promise.resolve(), 'meanwhile').then(meanwhile);
    await scheduler.waitFor(Promise.all(takers));
    await scheduler.waitIdle();
  } finally {
    disk.scheduler = null;
  }
  return mostHolders;
}

const runs = { numRuns: 300, seed: 1 };

test('of many who find an abandoned lock, one holds it at a time', async () => {
  const folder = await temporaryFolder();
  const start = join(folder, 'start');
  mkdirSync(start);
  await leaveAbandonedLock(join(start, 'lock'), join(folder, 'log'));
  let run = 0;
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const copy = join(folder, `run ${++run}`);
    cpSync(start, copy, { recursive: true });
    expect(await takeTogether(scheduler, join(copy, 'lock'))).toBe(1);
  });
  await fc.assert(property, runs);
});

test('of many who find it free, one holds it at a time', async () => {
  const folder = await temporaryFolder();
  let run = 0;
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    expect(await takeTogether(scheduler, join(folder, `lock ${++run}`))).toBe(1);
  });
  await fc.assert(property, runs);
});

test('whoever was stopped for long while it drew a number holds up nobody, and comes between nobody', async () => {
  const folder = await temporaryFolder();
  const twoMinutesAgo = new Date(Date.now() - 120_000);
  let run = 0;
  let stopped = 0;
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const path = join(folder, `lock ${++run}`);
    const stop = (): void => {
      for (const name of readdirSync(`${path}.d`))
        if (name.startsWith('drawing')) {
          utimesSync(join(`${path}.d`, name), twoMinutesAgo, twoMinutesAgo);
          stopped++;
        }
    };
    expect(await takeTogether(scheduler, path, stop)).toBe(1);
  });
  await fc.assert(property, runs);
  expect(stopped).toBeGreaterThan(100);
});

/**
 * Slower cores for the devices of a benchmark. Tabs of one machine share its cores, so that a device that
 * computes takes from the others' time, and from that of the page, the sockets and the browser: devices of
 * their own do not. With a share of a core for each device's workers the rest is left for all of that.
 *
 * Linux with version 1 of the CPU control groups, as root: the only ones that take single threads of a process.
 */
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { rendererMemory } from './process-memory.ts';

export interface CoreShare {
  /** Gives the workers their whole cores back. */
  end(): Promise<void>;
}

const groupsDir = '/sys/fs/cgroup/cpu';
/** As short as the kernel allows: a run that begins after a pause has hardly more than its share. */
const leastQuotaUs = 1000;
const lookEveryMs = 100;

/** The workers of every tab, those of tabs to come included, compute with this share of a core from now on. */
export async function limitWorkers(browser: Browser, share: number): Promise<CoreShare> {
  const parent = join(groupsDir, `edgeshard-${process.pid}`);
  try {
    await access(join(groupsDir, 'cpu.cfs_quota_us'));
    await mkdir(parent, { recursive: true });
  } catch {
    throw new Error(
      `A share of a core needs Linux, root, and the CPU control groups (version 1) at ${groupsDir}: leave the option out.`,
    );
  }
  const processes = await rendererMemory(browser);
  const groups = new Set<string>();
  let isOver = false;

  async function limit(processId: number): Promise<void> {
    const group = join(parent, String(processId));
    const tasks = join('/proc', String(processId), 'task');
    for (const thread of await readdir(tasks)) {
      const name = await readFile(join(tasks, thread, 'comm'), 'utf8');
      if (!name.startsWith('DedicatedWorker')) continue;
      if (!groups.has(group)) {
        await mkdir(group);
        groups.add(group);
        await writeFile(join(group, 'cpu.cfs_period_us'), String(Math.ceil(leastQuotaUs / share)));
        await writeFile(join(group, 'cpu.cfs_quota_us'), String(leastQuotaUs));
      }
      await writeFile(join(group, 'tasks'), thread);
    }
  }

  async function watch(): Promise<void> {
    while (!isOver) {
      // A tab, or a thread, that ended meanwhile has nothing left to limit.
      for (const processId of await processes.renderers())
        await limit(processId).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }
  const watching = watch();

  return {
    async end() {
      isOver = true;
      await watching.catch(() => undefined);
      for (const group of [...groups, parent]) {
        const threads = await readFile(join(group, 'tasks'), 'utf8');
        for (const thread of threads.split('\n').filter(Boolean))
          await writeFile(join(groupsDir, 'tasks'), thread).catch(() => undefined);
        // Threads that are ending keep their group until they have ended: an empty one is in nobody's way.
        await rmdir(group).catch(() => undefined);
      }
    },
  };
}

/** How each kind of fault is injected into a machine. */
import type { Machine } from './machine.ts';
import type { Fault } from './schedule.ts';
import type { ChaosNetwork } from './network.ts';

export interface Testbed {
  machines: readonly Machine[];
  network: ChaosNetwork;
  /** A device on that machine joins. */
  join: (machine: Machine) => Promise<void>;
  /** Nothing is asked of the host for a moment, so that its record is whole. */
  hold: () => Promise<void>;
  /** The host's page is being loaded anew. */
  release: () => void;
}

/** Resolves when the fault is over and its machine is as the schedule says. `onBegun` is called when it takes effect. */
export async function injectFault(
  fault: Fault,
  testbed: Testbed,
  onBegun: () => void,
): Promise<void> {
  const { kind, forMs } = fault;
  const machine = testbed.machines[fault.machine];
  const { page } = machine;
  switch (kind) {
    case 'join':
      await testbed.join(machine);
      onBegun();
      return;
    case 'close':
      onBegun();
      machine.forget('page');
      await page?.close({ runBeforeUnload: false });
      return;
    case 'crash': {
      const renderers = await processesOf(machine, ['renderer']);
      onBegun();
      kill(renderers, 'SIGKILL');
      machine.forget('page');
      await page?.close().catch(() => undefined);
      return;
    }
    case 'kill': {
      const all = await processesOf(machine, null);
      onBegun();
      kill(all, 'SIGKILL');
      machine.forget('browser');
      return;
    }
    case 'freeze': {
      const all = await processesOf(machine, null);
      onBegun();
      kill(all, 'SIGSTOP');
      await pause(forMs);
      kill(all, 'SIGCONT');
      return;
    }
    case 'path cut':
      onBegun();
      testbed.network.cut(machine.number);
      return;
    case 'outage':
      onBegun();
      testbed.network.setOut(machine.number, true);
      machine.serverProxy.shut(true);
      await pause(forMs);
      testbed.network.setOut(machine.number, false);
      machine.serverProxy.shut(false);
      return;
    case 'server out of reach':
      onBegun();
      machine.serverProxy.shut(true);
      await pause(forMs);
      machine.serverProxy.shut(false);
      return;
    case 'engine lost': {
      onBegun();
      for (const worker of page?.workers() ?? []) await worker.evaluate(throwLater);
      return;
    }
    case 'gpu lost': {
      const gpu = await processesOf(machine, ['GPU']);
      onBegun();
      kill(gpu, 'SIGKILL');
      return;
    }
    case 'host reload':
      await testbed.hold();
      onBegun();
      try {
        await page?.reload();
      } finally {
        testbed.release();
      }
      return;
  }
}

/** Runs in the worker: an error that nobody catches is what a runtime that breaks down leaves behind. */
function throwLater(): void {
  setTimeout(() => {
    throw new Error('This error was injected.');
  }, 0);
}

async function processesOf(machine: Machine, types: readonly string[] | null): Promise<number[]> {
  const processes = await machine.processes();
  return processes.filter(({ type }) => types?.includes(type) ?? true).map(({ id }) => id);
}

/** One that has gone meanwhile is no fault of anybody's. */
function kill(ids: readonly number[], signal: NodeJS.Signals): void {
  for (const id of ids)
    try {
      process.kill(id, signal);
    } catch {
      continue;
    }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How each kind of fault is done to a seat. */
import type { Seat } from './machine.ts';
import type { Fault } from './schedule.ts';
import type { Ways } from './network.ts';

export interface Table {
  seats: readonly Seat[];
  ways: Ways;
  /** A device joins at that seat. */
  join: (seat: Seat) => Promise<void>;
  /** Nothing is asked of the host for a moment, so that its record is whole. */
  hold: () => Promise<void>;
  /** The host's page is being loaded anew. */
  release: () => void;
}

/** Resolves when the fault is over and its seat as it should be after it. `onBegun` is called when it takes effect. */
export async function injectFault(fault: Fault, table: Table, onBegun: () => void): Promise<void> {
  const { kind, forMs } = fault;
  const seat = table.seats[fault.seat];
  const { page } = seat;
  switch (kind) {
    case 'join':
      await table.join(seat);
      onBegun();
      return;
    case 'close':
      onBegun();
      seat.vacate('page');
      await page?.close({ runBeforeUnload: false });
      return;
    case 'crash': {
      const renderers = await processesOf(seat, ['renderer']);
      onBegun();
      kill(renderers, 'SIGKILL');
      seat.vacate('page');
      await page?.close().catch(() => undefined);
      return;
    }
    case 'kill': {
      const all = await processesOf(seat, null);
      onBegun();
      kill(all, 'SIGKILL');
      seat.vacate('browser');
      return;
    }
    case 'freeze': {
      const all = await processesOf(seat, null);
      onBegun();
      kill(all, 'SIGSTOP');
      await pause(forMs);
      kill(all, 'SIGCONT');
      return;
    }
    case 'path cut':
      onBegun();
      table.ways.cut(seat.number);
      return;
    case 'outage':
      onBegun();
      table.ways.setOut(seat.number, true);
      seat.gate.shut(true);
      await pause(forMs);
      table.ways.setOut(seat.number, false);
      seat.gate.shut(false);
      return;
    case 'server out of reach':
      onBegun();
      seat.gate.shut(true);
      await pause(forMs);
      seat.gate.shut(false);
      return;
    case 'engine lost': {
      onBegun();
      for (const worker of page?.workers() ?? []) await worker.evaluate(throwLater);
      return;
    }
    case 'gpu lost': {
      const gpu = await processesOf(seat, ['GPU']);
      onBegun();
      kill(gpu, 'SIGKILL');
      return;
    }
    case 'host reload':
      await table.hold();
      onBegun();
      try {
        await page?.reload();
      } finally {
        table.release();
      }
      return;
  }
}

/** Runs in the worker: an error that nobody catches is what a runtime that breaks down leaves behind. */
function throwLater(): void {
  setTimeout(() => {
    throw new Error('struck');
  }, 0);
}

async function processesOf(seat: Seat, types: readonly string[] | null): Promise<number[]> {
  const processes = await seat.processes();
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

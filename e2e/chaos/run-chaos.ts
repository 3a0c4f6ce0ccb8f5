/** A room of real browsers in which things go wrong by schedule while it answers, and what became of its answers. */
import type { Page } from 'playwright';
import { keepAsking, type Asking } from './asking.ts';
import { verifyDevices, verifyHost, newVerdict, type Verdict } from './verify-answers.ts';
import { openLogbook, type Logbook } from './logbook.ts';
import { effectOf, type InjectedFault } from './measure.ts';
import { answersUndisturbed, type Expected } from './questions.ts';
import type { ChaosReport } from './report.ts';
import { makeSchedule, type Fault } from './schedule.ts';
import { startMachine, type Machine } from './machine.ts';
import { injectFault, type Testbed } from './inject-fault.ts';
import { createChaosNetwork, type ChaosNetwork } from './network.ts';

export interface ChaosOptions {
  origin: string;
  executablePath: string;
  seed: number;
  /** How long faults go on; answers are waited for after that. */
  durationMs: number;
  /** Devices, the host included. */
  machines: number;
  betweenMs: readonly [shortest: number, longest: number];
  longestMs: number;
  /** Answers of the host's under way at any time. */
  together: number;
  backend: 'wasm' | 'webgpu';
  /** Hears of every step and fault as it begins. */
  say: (sentence: string) => void;
  /** Is given all that was seen, at the end. */
  onLogbook?: (logbook: Logbook) => void;
}

/** What is not answered so long after the last fault has passed is hung. */
const answerDeadlineMs = 90_000;
/** A tab measures itself and loads; several do on one machine's cores. */
const joinDeadlineMs = 120_000;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { origin, executablePath, backend } = options;
  const network = createChaosNetwork();
  const logbook = openLogbook();
  const machines: Machine[] = [];
  try {
    for (let number = 0; number < options.machines; number++) {
      const webgpu = backend === 'webgpu';
      machines.push(
        await startMachine({ number, origin, executablePath, webgpu, network, logbook }),
      );
    }
    return await chaosAt(machines, network, logbook, options);
  } finally {
    options.onLogbook?.(logbook);
    await Promise.all(machines.map((machine) => machine.close().catch(() => undefined)));
    network.close();
  }
}

async function chaosAt(
  machines: readonly Machine[],
  network: ChaosNetwork,
  logbook: Logbook,
  options: ChaosOptions,
): Promise<ChaosReport> {
  const { seed, durationMs, say, backend } = options;
  const device = { backend, threads: 1 } as const;
  const [hostMachine, ...deviceMachines] = machines;
  say('The host opens the room and answers undisturbed');
  const link = await openRoom(await hostMachine.open(), device);
  const expected = await answersUndisturbed(pageOf(hostMachine));

  async function join(machine: Machine): Promise<void> {
    const page = await machine.open();
    await page.evaluate(([address, how]) => void edgeshard.joinRoom(address, how), [
      link,
      device,
    ] as const);
  }
  for (const machine of deviceMachines) {
    say(`Device ${machine.number} joins`);
    await join(machine);
    await untilMembers(pageOf(hostMachine), machine.number + 1);
  }
  const asking = keepAsking({
    logbook,
    host: () => hostMachine.page,
    devices: () =>
      deviceMachines.flatMap(({ number, page }) => (page ? [{ machine: number, page }] : [])),
    together: options.together,
    before: expected.size,
  });
  const testbed: Testbed = {
    machines,
    network,
    join,
    hold: () => asking.hold(),
    release: () => asking.release(),
  };
  const schedule = makeSchedule({ ...options, durationMs, hasGpu: backend === 'webgpu' });
  const { injected, problems } = await follow(schedule, testbed, logbook, say);
  say('No more faults: the last answers');
  await asking.stop();
  const verdict = await verifyAll(machines, asking, expected, logbook);
  return {
    seed,
    minutes: durationMs / 60_000,
    effects: injected.map((fault, index) =>
      effectOf(fault, injected.at(index + 1), logbook.of.get(0) ?? []),
    ),
    verdict,
    problems: [...problems, ...logbook.errors],
  };
}

/** Does every fault at its time; resolves when the last one is over. */
async function follow(
  schedule: readonly Fault[],
  testbed: Testbed,
  logbook: Logbook,
  say: (sentence: string) => void,
): Promise<{ injected: InjectedFault[]; problems: string[] }> {
  const beganMs = Date.now();
  const injected: InjectedFault[] = [];
  const problems: string[] = [];
  const underWay = schedule.map(async (fault) => {
    await pause(beganMs + fault.atMs - Date.now());
    const { kind, machine, forMs } = fault;
    const now: InjectedFault = {
      kind,
      machine,
      atMs: Date.now(),
      deviceId: idAt(logbook, machine),
    };
    say(
      `${(fault.atMs / 1000).toFixed(1)} s: ${kind}, machine ${machine} (${now.deviceId ?? 'nobody'})` +
        (forMs > 0 ? ` for ${(forMs / 1000).toFixed(1)} s` : ''),
    );
    try {
      await injectFault(fault, testbed, () => {
        now.atMs = Date.now();
        injected.push(now);
      });
    } catch (error) {
      problems.push(`${kind} on machine ${machine} could not be injected: ${String(error)}`);
    }
  });
  await Promise.all(underWay);
  return { injected, problems };
}

/** The name of the device on that machine, as its own screen says. */
function idAt(logbook: Logbook, machine: number): string | null {
  const last = logbook.of.get(machine)?.findLast(({ kind }) => kind === 'devices');
  return last?.kind === 'devices' ? (last.devices.at(0)?.id ?? null) : null;
}

async function verifyAll(
  machines: readonly Machine[],
  asking: Asking,
  expected: ReadonlyMap<string, Expected>,
  logbook: Logbook,
): Promise<Verdict> {
  const verdict = newVerdict();
  const here = new Set(machines.flatMap(({ page }) => page ?? []));
  const asked = [pageOf(machines[0]), ...asking.byDevices.map(({ page }) => page)];
  const deadlineMs = Date.now() + answerDeadlineMs;
  for (const page of new Set(asked))
    if (here.has(page)) await untilAnswered(page, deadlineMs - Date.now());
  // The record is written half a second after a change.
  await pause(1500);
  await verifyHost(pageOf(machines[0]), asking.byHost, expected, verdict);
  await verifyDevices(asking.byDevices, (page) => here.has(page), expected, verdict);
  for (const [machine, observations] of logbook.of)
    for (const observation of observations)
      if (observation.kind === 'answer' && observation.rewritten)
        verdict.wrong.push(
          `question ${observation.index + 1} on machine ${machine}’s screen was rewritten`,
        );
  return verdict;
}

async function openRoom(
  page: Page,
  device: { backend: 'wasm' | 'webgpu'; threads: number },
): Promise<string> {
  await page.evaluate((own) => {
    const exact = { weights: 'f32', wire: 'f32', plan: 'even', asking: 'open' } as const;
    edgeshard.openRoom({ ...own, ...exact });
  }, device);
  await page.waitForFunction(() => edgeshard.room?.view.plan?.status === 'running', undefined, {
    timeout: joinDeadlineMs,
  });
  return page.evaluate(() => edgeshard.room?.view.link ?? '');
}

/** Waits until the host runs a plan with so many devices. */
async function untilMembers(host: Page, count: number): Promise<void> {
  await host.waitForFunction(
    (wanted) => {
      const { plan, devices } = edgeshard.room?.view ?? {};
      const used = new Set(plan?.stages.map((stage) => stage.device));
      return plan?.status === 'running' && devices?.length === wanted && used.size === wanted;
    },
    count,
    { timeout: joinDeadlineMs },
  );
}

/** Waits until no answer on that page's screen is under way; gives up when the time is over. */
async function untilAnswered(page: Page, timeoutMs: number): Promise<void> {
  await page
    .waitForFunction(
      () =>
        edgeshard.room?.view.answers.every(({ status }) =>
          ['done', 'failed'].includes(status.kind),
        ) ?? false,
      undefined,
      { timeout: Math.max(1, timeoutMs) },
    )
    .catch(() => undefined);
}

function pageOf({ number, page }: Machine): Page {
  if (!page) throw new Error(`machine ${number} has no page`);
  return page;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

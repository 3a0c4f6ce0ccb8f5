/** A room of real browsers in which things go wrong by schedule while it answers, and what became of its answers. */
import type { Page } from 'playwright';
import { keepAsking, type Asking } from './asking.ts';
import { judgeDevices, judgeHost, newVerdict, type Verdict } from './verify-answers.ts';
import { openLogbook, type Logbook } from './logbook.ts';
import { effectOf, type Struck } from './measure.ts';
import { answersUndisturbed, type Expected } from './questions.ts';
import type { ChaosReport } from './report.ts';
import { makeSchedule, type Fault } from './schedule.ts';
import { takeSeat, type Seat } from './machine.ts';
import { injectFault, type Table } from './inject-fault.ts';
import { createWays, type Ways } from './network.ts';

export interface ChaosOptions {
  origin: string;
  executablePath: string;
  seed: number;
  /** How long faults go on; answers are waited for after that. */
  durationMs: number;
  /** Devices, the host included. */
  seats: number;
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
  const ways = createWays();
  const logbook = openLogbook();
  const seats: Seat[] = [];
  try {
    for (let number = 0; number < options.seats; number++) {
      const webgpu = backend === 'webgpu';
      seats.push(await takeSeat({ number, origin, executablePath, webgpu, ways, logbook }));
    }
    return await chaosAt(seats, ways, logbook, options);
  } finally {
    options.onLogbook?.(logbook);
    await Promise.all(seats.map((seat) => seat.close().catch(() => undefined)));
    ways.close();
  }
}

async function chaosAt(
  seats: readonly Seat[],
  ways: Ways,
  logbook: Logbook,
  options: ChaosOptions,
): Promise<ChaosReport> {
  const { seed, durationMs, say, backend } = options;
  const device = { backend, threads: 1 } as const;
  const [hostSeat, ...deviceSeats] = seats;
  say('The host opens the room and answers undisturbed');
  const link = await openRoom(await hostSeat.open(), device);
  const expected = await answersUndisturbed(pageOf(hostSeat));

  async function join(seat: Seat): Promise<void> {
    const page = await seat.open();
    await page.evaluate(([address, how]) => void edgeshard.joinRoom(address, how), [
      link,
      device,
    ] as const);
  }
  for (const seat of deviceSeats) {
    say(`Device ${seat.number} joins`);
    await join(seat);
    await untilMembers(pageOf(hostSeat), seat.number + 1);
  }
  const asking = keepAsking({
    logbook,
    host: () => hostSeat.page,
    devices: () =>
      deviceSeats.flatMap(({ number, page }) => (page ? [{ seat: number, page }] : [])),
    together: options.together,
    before: expected.size,
  });
  const table: Table = {
    seats,
    ways,
    join,
    hold: () => asking.hold(),
    release: () => asking.release(),
  };
  const schedule = makeSchedule({ ...options, durationMs, hasGpu: backend === 'webgpu' });
  const { struck, problems } = await follow(schedule, table, logbook, say);
  say('No more faults: the last answers');
  await asking.stop();
  const verdict = await judgeAll(seats, asking, expected, logbook);
  return {
    seed,
    minutes: durationMs / 60_000,
    effects: struck.map((fault, index) =>
      effectOf(fault, struck.at(index + 1), logbook.of.get(0) ?? []),
    ),
    verdict,
    problems: [...problems, ...logbook.errors],
  };
}

/** Does every fault at its time; resolves when the last one is over. */
async function follow(
  schedule: readonly Fault[],
  table: Table,
  logbook: Logbook,
  say: (sentence: string) => void,
): Promise<{ struck: Struck[]; problems: string[] }> {
  const beganMs = Date.now();
  const struck: Struck[] = [];
  const problems: string[] = [];
  const underWay = schedule.map(async (fault) => {
    await pause(beganMs + fault.atMs - Date.now());
    const { kind, seat, forMs } = fault;
    const now: Struck = { kind, seat, atMs: Date.now(), deviceId: idAt(logbook, seat) };
    say(
      `${(fault.atMs / 1000).toFixed(1)} s: ${kind}, seat ${seat} (${now.deviceId ?? 'nobody'})` +
        (forMs > 0 ? ` for ${(forMs / 1000).toFixed(1)} s` : ''),
    );
    try {
      await injectFault(fault, table, () => {
        now.atMs = Date.now();
        struck.push(now);
      });
    } catch (error) {
      problems.push(`${kind} at seat ${seat} could not be done: ${String(error)}`);
    }
  });
  await Promise.all(underWay);
  return { struck, problems };
}

/** The name that whoever sits there goes by, as their own screen says. */
function idAt(logbook: Logbook, seat: number): string | null {
  const last = logbook.of.get(seat)?.findLast(({ kind }) => kind === 'devices');
  return last?.kind === 'devices' ? (last.devices.at(0)?.id ?? null) : null;
}

async function judgeAll(
  seats: readonly Seat[],
  asking: Asking,
  expected: ReadonlyMap<string, Expected>,
  logbook: Logbook,
): Promise<Verdict> {
  const verdict = newVerdict();
  const here = new Set(seats.flatMap(({ page }) => page ?? []));
  const asked = [pageOf(seats[0]), ...asking.byDevices.map(({ page }) => page)];
  const deadlineMs = Date.now() + answerDeadlineMs;
  for (const page of new Set(asked))
    if (here.has(page)) await untilAnswered(page, deadlineMs - Date.now());
  // The record is written half a second after a change.
  await pause(1500);
  await judgeHost(pageOf(seats[0]), asking.byHost, expected, verdict);
  await judgeDevices(asking.byDevices, (page) => here.has(page), expected, verdict);
  for (const [seat, observations] of logbook.of)
    for (const observation of observations)
      if (observation.kind === 'answer' && observation.rewritten)
        verdict.wrong.push(
          `question ${observation.index + 1} on seat ${seat}’s screen was rewritten`,
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

function pageOf({ number, page }: Seat): Page {
  if (!page) throw new Error(`nobody sits on seat ${number}`);
  return page;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

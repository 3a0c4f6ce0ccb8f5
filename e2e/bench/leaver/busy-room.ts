/** A room that nobody leaves, on a machine that is busy with something else: whether anybody is thought gone. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Page } from 'playwright';
import type { TabRoom } from '../../harness/devices/tab-room.ts';
import { question } from '../room-questions.ts';
import { quantile } from '../statistics.ts';

export interface BusyFigures {
  /** That do nothing but compute, beside the room's own. */
  processes: number;
  seconds: number;
  tokens: number;
  lapP50Ms: number;
  lapMaxMs: number;
  /** Times that a device was thought gone, or lost its link: nobody was, and no link broke. */
  falseAlarms: number;
}

/** For each core; the room's tabs want all of them, too. */
const processesPerCore = 4;
const together = 3;
const tokensEach = 200;

/** Answers for so long beside the load. Throws if an answer is not what it is without. */
export async function answerBesideLoad(room: TabRoom, seconds: number): Promise<BusyFigures> {
  const undisturbed = await room.ask(question(0, tokensEach));
  await keepNotices(room.host);
  const processes = processesPerCore * availableParallelism();
  const busy = Array.from({ length: processes }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  const lapsMs: number[] = [];
  let tokens = 0;
  const beganMs = performance.now();
  const passed = (): number => (performance.now() - beganMs) / 1000;

  async function keepAsking(): Promise<void> {
    while (passed() < seconds) {
      const { ids, laps } = await room.ask(question(0, tokensEach));
      if (ids.join() !== undisturbed.ids.join())
        throw new Error('An answer changed because the machine was busy.');
      tokens += ids.length;
      lapsMs.push(...laps.map(({ lapMs }) => lapMs));
    }
  }

  try {
    await Promise.all(Array.from({ length: together }, keepAsking));
  } finally {
    for (const child of busy) child.kill('SIGKILL');
  }
  const texts = await noticesKept(room.host);
  return {
    processes,
    seconds: passed(),
    tokens,
    lapP50Ms: quantile(lapsMs, 0.5),
    lapMaxMs: quantile(lapsMs, 1),
    falseAlarms: texts.filter((text) => /does not answer|was away| left\b/.test(text)).length,
  };
}

/** From now on: a screen shows only the last few. */
async function keepNotices(host: Page): Promise<void> {
  await host.evaluate(() => {
    const kept = new Map<number, string>();
    Object.assign(globalThis, { kept });
    edgeshard.room?.subscribe(({ notices }) => {
      for (const { id, text } of notices) kept.set(id, text);
    });
  });
}

function noticesKept(host: Page): Promise<string[]> {
  return host.evaluate(() => [
    ...(Reflect.get(globalThis, 'kept') as Map<number, string>).values(),
  ]);
}

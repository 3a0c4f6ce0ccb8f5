/** Keeps answers running: the host always has several under way, and devices ask now and then. */
import type { Page } from 'playwright';
import type { Logbook, Observation } from './logbook.ts';
import { begin, questionAt } from './questions.ts';

export interface Asking {
  /** How many questions the host has asked: the n-th is `questionAt(n)`. */
  readonly byHost: number;
  readonly byDevices: readonly DeviceQuestion[];
  /** From now on nothing is asked of the host; resolves when what was asked is in its record. */
  hold(): Promise<void>;
  release(): void;
  /** Nothing more is asked at all. */
  stop(): Promise<void>;
}

export interface DeviceQuestion {
  machine: number;
  /** Which page of that machine asked it, and which of that page's own questions it is. */
  page: Page;
  own: number;
  /** It is `questionAt(index)`. */
  index: number;
}

export interface AskingOptions {
  logbook: Logbook;
  host: () => Page | null;
  devices: () => { machine: number; page: Page }[];
  /** Answers of the host's that are under way at any time. */
  together: number;
  /** Questions that the host's page had asked before. */
  before: number;
}

const lookEveryMs = 200;
const deviceEveryMs = 3000;
/** The host writes its record half a second after a change. */
const recordMs = 1500;

export function keepAsking({ logbook, host, devices, together, before }: AskingOptions): Asking {
  const byDevices: DeviceQuestion[] = [];
  let byHost = 0;
  let isHeld = false;
  let isOver = false;

  async function askAsHost(): Promise<void> {
    const page = host();
    const open = before + byHost - countEnded(logbook.of.get(0) ?? []);
    if (isHeld || !page || open >= together) return;
    if (await begin(page, questionAt(byHost))) byHost++;
  }

  /** One question of each device at a time: more, and the host rightly tells it to wait. */
  async function askAsDevice(): Promise<void> {
    const asked = (page: Page): number =>
      byDevices.filter((question) => question.page === page).length;
    const idle: { machine: number; page: Page }[] = [];
    for (const device of devices())
      if ((await countAnswered(device.page)) === asked(device.page)) idle.push(device);
    const turn = idle.at(byDevices.length % Math.max(1, idle.length));
    if (!turn) return;
    const { machine, page } = turn;
    const own = asked(page);
    const index = byDevices.length;
    if (await begin(page, questionAt(index))) byDevices.push({ machine, page, own, index });
  }

  /** Two rounds of their own: a device that stands still must not keep the host from asking. */
  const rounds = [round(askAsHost, lookEveryMs), round(askAsDevice, deviceEveryMs)];
  async function round(ask: () => Promise<void>, everyMs: number): Promise<void> {
    while (!isOver) {
      await ask();
      await pause(everyMs);
    }
  }

  return {
    get byHost() {
      return byHost;
    },
    byDevices,
    async hold() {
      isHeld = true;
      await pause(recordMs);
    },
    release: () => void (isHeld = false),
    async stop() {
      isOver = true;
      await Promise.all(rounds);
    },
  };
}

/** The host's questions that are answered, or failed: their order outlives its page. */
function countEnded(observations: readonly Observation[]): number {
  const ended = new Set<number>();
  for (const observation of observations)
    if (observation.kind === 'answer' && ['done', 'failed'].includes(observation.status))
      ended.add(observation.index);
  return ended.size;
}

/** Of the questions of that page's own; -1 where it cannot say. */
function countAnswered(page: Page): Promise<number> {
  const counted = page.evaluate(
    () =>
      edgeshard.room?.view.answers.filter(({ status }) => ['done', 'failed'].includes(status.kind))
        .length ?? 0,
  );
  // A browser that stands still says nothing for as long.
  return Promise.race([counted, pause(500).then(() => -1)]).catch(() => -1);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

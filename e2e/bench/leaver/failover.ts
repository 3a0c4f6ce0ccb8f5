/** How long an answer pauses when a device in the middle of its lap goes, and what the time goes into. */
import type { Page } from 'playwright';
import type { TabRoom } from '../../harness/devices/tab-room.ts';
import { question } from '../room-questions.ts';
import { deviceName } from '../../../src/room/host/membership/members.ts';

/** `announced`: the tab says goodbye. `killed`: its process ends, and nobody says anything. */
export type Departure = 'announced' | 'killed';

export interface FailoverFigures {
  /** Between the last token before and the first one after. */
  pauseMs: number;
  /** From the departure until the host knew of it. */
  detectMs: number;
  replanMs: number;
  loadMs: number;
  /** Until the next token, once the new plan runs: the caches that are filled, and its lap. */
  rebuildMs: number;
}

interface Seen {
  atMs: number;
  tokens: number;
  plan: 'none' | 'loading' | 'running';
}

const tokens = 220;
/** The device goes after so many tokens: there is a text to be read again, and enough left to be written. */
const tokensBefore = 60;

/** Asks, has the device in the middle of the lap go, and waits for the answer's end. Throws if its tokens changed. */
export async function measureFailover(
  room: TabRoom,
  departure: Departure,
): Promise<FailoverFigures> {
  const { host } = room;
  const undisturbed = await room.ask(question(0, tokens));
  const middle = await middleDevice(room);
  const leaver = room.devices[deviceIndex(middle)];
  await watch(host);
  const answering = room.ask({ ...question(0, tokens) });
  await host.waitForFunction(
    (enough) => (edgeshard.room?.view.answers.at(-1)?.newTokens ?? 0) >= enough,
    tokensBefore,
    { polling: 5 },
  );
  const { plan } = await room.view();
  if (!plan?.stages.some(({ device }) => device === middle))
    throw new Error(
      `The plan went on without ${middle} before it left: ${plan?.why ?? 'there is none'}`,
    );
  const goneAtMs = Date.now();
  await leave(leaver, departure);
  const { ids } = await answering;
  await leaver.close();
  if (ids.join() !== undisturbed.ids.join())
    throw new Error('The answer changed when a device left: its tokens are not the same.');
  return figuresOf(await seenBy(host), goneAtMs);
}

/** The device that the lap passes half-way. */
async function middleDevice(room: TabRoom): Promise<string> {
  const { plan } = await room.view();
  const others = (plan?.stages ?? []).map(({ device }) => device).filter((id) => id !== 'host');
  const middle = others.at(others.length >> 1);
  if (middle === undefined) throw new Error('The plan has no device that could leave.');
  return middle;
}

function deviceIndex(id: string): number {
  let index = 0;
  while (deviceName(index) !== id) index++;
  return index;
}

async function leave(page: Page, departure: Departure): Promise<void> {
  if (departure === 'announced') await page.evaluate(() => edgeshard.room?.close());
  // The navigation never ends, since the page's process does.
  else void page.goto('chrome://crash').catch(() => undefined);
}

async function watch(host: Page): Promise<void> {
  await host.evaluate(() => {
    const seen: Seen[] = [];
    Object.assign(globalThis, { seen });
    edgeshard.room?.subscribe(({ answers, plan }) => {
      seen.push({
        atMs: performance.timeOrigin + performance.now(),
        tokens: answers.at(-1)?.newTokens ?? 0,
        plan: plan?.status ?? 'none',
      });
    });
  });
}

function seenBy(host: Page): Promise<Seen[]> {
  return host.evaluate(() => Reflect.get(globalThis, 'seen') as Seen[]);
}

function figuresOf(seen: Seen[], goneAtMs: number): FailoverFigures {
  const firstFrom = (from: number, is: (now: Seen) => boolean): number => {
    const index = seen.findIndex((now, at) => at >= from && is(now));
    if (index === -1) throw new Error('The host did not go through every step of a failover.');
    return index;
  };
  const gone = firstFrom(0, ({ atMs }) => atMs >= goneAtMs);
  // Its neighbours may notice before the host does.
  const left = firstFrom(gone, ({ plan }) => plan !== 'running');
  const planned = firstFrom(left, ({ plan }) => plan === 'loading');
  const runs = firstFrom(planned, ({ plan }) => plan === 'running');
  const made = seen[left].tokens;
  const token = firstFrom(left, (now) => now.tokens > made);
  const lastToken = firstFrom(0, (now) => now.tokens === made);
  const between = (from: number, to: number): number => seen[to].atMs - seen[from].atMs;
  return {
    pauseMs: between(lastToken, token),
    detectMs: seen[left].atMs - goneAtMs,
    replanMs: between(left, planned),
    loadMs: between(planned, runs),
    rebuildMs: between(runs, token),
  };
}

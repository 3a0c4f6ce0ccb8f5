/** A room of real tabs, driven through the page's own console: for the demo, the benchmarks and tests. */
import { randomUUID } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright';
import type { LinkEmulation } from '../../../src/transport/index.ts';
import type {
  AnswerResult,
  AskRequest,
  DeviceOptions,
  HostOptions,
  RoomView,
} from '../../../src/room/index.ts';

export interface TabRoomOptions {
  origin: string;
  /** The host included. */
  devices: number;
  host: Partial<HostOptions>;
  device?: Partial<DeviceOptions>;
  /** Is given the browser context of each tab before the tab opens. */
  prepare?: (context: BrowserContext) => Promise<void>;
  /** Hears of each step as it begins. */
  onStep?: (step: string) => void;
}

export interface TabRoom {
  readonly host: Page;
  /** The devices that joined, in order; pages of those that left may be closed. */
  readonly devices: readonly Page[];
  view(): Promise<RoomView>;
  /** One more tab joins; resolves when the host has measured it and all its links. */
  join(device?: Partial<DeviceOptions>): Promise<Page>;
  /** `onText` hears the whole text so far, at every token. */
  ask(request: AskRequest, onText?: (text: string) => void): Promise<AnswerResult>;
  /** Slows a device's links down; resolves when they are measured anew and the room has a plan for them. */
  emulate(deviceId: string, emulation: LinkEmulation | null): Promise<void>;
  close(): Promise<void>;
}

/** How long a tab may take to measure itself, or to load its layers, on a busy machine. */
const readyTimeoutMs = 180_000;

/**
 * Opens the host, then lets devices join one after the other, each measured before the next comes: tabs
 * that share one machine's cores would otherwise slow each other's measurement. Throws the room's own
 * sentence when it cannot answer.
 */
export async function openTabRoom(browser: Browser, options: TabRoomOptions): Promise<TabRoom> {
  const contexts: BrowserContext[] = [];
  const devices: Page[] = [];
  const say = options.onStep ?? (() => undefined);

  async function newTab(): Promise<Page> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    contexts.push(context);
    await options.prepare?.(context);
    const page = await context.newPage();
    page.setDefaultTimeout(readyTimeoutMs);
    await page.goto(options.origin);
    await page.waitForFunction(() => 'edgeshard' in globalThis);
    return page;
  }

  async function join(device = options.device ?? {}): Promise<Page> {
    const page = await newTab();
    devices.push(page);
    const link = await host.evaluate(() => edgeshard.room?.view.link ?? '');
    await page.evaluate(([roomLink, chosen]) => void edgeshard.joinRoom(roomLink, chosen), [
      link,
      device,
    ] as const);
    await untilJoined(host, page, devices.filter((each) => !each.isClosed()).length + 1);
    return page;
  }

  async function emulate(deviceId: string, emulation: LinkEmulation | null): Promise<void> {
    await host.evaluate(
      async ([device, network]) => {
        const { room } = edgeshard;
        if (!room || !('emulate' in room)) throw new Error('this tab hosts no room');
        await room.emulate(device, network);
        await room.settled();
      },
      [deviceId, emulation] as const,
    );
  }

  async function close(): Promise<void> {
    await Promise.all(contexts.map((context) => context.close()));
  }

  say('Opening the room');
  const host = await newTab();
  try {
    const chosen = { expectedDevices: options.devices, ...options.device, ...options.host };
    await host.evaluate((hostOptions) => void edgeshard.openRoom(hostOptions), chosen);
    await untilJoined(host, host, 1);
    while (devices.length < options.devices - 1) {
      say(`Device ${devices.length + 2} of ${options.devices} joins`);
      await join();
    }
    say('The devices load their layers');
    await untilPlanned(host);
  } catch (error) {
    await close();
    throw error;
  }
  const view = (): Promise<RoomView> => viewOf(host);
  return { host, devices, join, emulate, close, view, ask: askerOf(host) };
}

export function viewOf(page: Page): Promise<RoomView> {
  return page.evaluate(() => {
    const { room } = edgeshard;
    if (!room) throw new Error('this tab is in no room');
    return room.view;
  });
}

/** Whose stages follow each other in the plan that runs. */
export async function planOf(page: Page): Promise<string> {
  const { plan } = await viewOf(page);
  if (plan?.status !== 'running') return 'none';
  return plan.stages.map(({ device }) => device).join(' ');
}

export async function noticesOf(page: Page): Promise<string> {
  return (await viewOf(page)).notices.map(({ text }) => text).join('\n');
}

/** Waits until the host knows `count` devices and the links between host and each. */
async function untilJoined(host: Page, newcomer: Page, count: number): Promise<void> {
  const failed = newcomer.evaluate(
    () =>
      new Promise<string>((resolve) => {
        edgeshard.room?.subscribe(({ phase, waitingFor }) => {
          if (phase.kind === 'closed') resolve(phase.reason);
          if (waitingFor?.kind === 'failure') resolve(waitingFor.sentence);
        });
      }),
  );
  const joined = host.waitForFunction(
    (wanted) => {
      const known = edgeshard.room?.view.devices ?? [];
      // No named function in here: the compiler would mark it with a helper that the page lacks.
      return (
        known.length >= wanted &&
        known.every(
          ({ compute, link }, index) => compute !== null && (index === 0 || link !== null),
        )
      );
    },
    count,
    { timeout: readyTimeoutMs },
  );
  await orFailed(joined, failed);
}

/** Waits until a plan runs. */
async function untilPlanned(host: Page): Promise<void> {
  const failed = host.evaluate(
    () =>
      new Promise<string>((resolve) => {
        edgeshard.room?.subscribe(({ phase, waitingFor }) => {
          if (phase.kind === 'closed') resolve(phase.reason);
          if (waitingFor?.kind === 'failure' || waitingFor?.kind === 'memory')
            resolve(waitingFor.sentence);
        });
      }),
  );
  const planned = host.waitForFunction(
    () => edgeshard.room?.view.plan?.status === 'running',
    undefined,
    { timeout: readyTimeoutMs },
  );
  await orFailed(planned, failed);
}

async function orFailed(work: Promise<unknown>, failed: Promise<string>): Promise<void> {
  // Whichever loses the race ends with its page; nobody waits for it any more.
  failed.catch(() => undefined);
  work.catch(() => undefined);
  const reason = await Promise.race([work.then(() => null), failed]);
  if (reason !== null) throw new Error(reason);
}

/** Asks the room that this page hosts. */
export function askerOf(host: Page): TabRoom['ask'] {
  return async (request, onText) => {
    const name = `onText${randomUUID().replaceAll('-', '')}`;
    if (onText) await host.exposeFunction(name, onText);
    return host.evaluate(
      async ([question, callback]) => {
        const { room } = edgeshard;
        if (!room || !('ask' in room)) throw new Error('this tab hosts no room');
        const answer = room.ask(question);
        const hear: unknown = Reflect.get(globalThis, callback);
        const stop = room.subscribe(({ answers }) => {
          const text = answers.at(answer.id)?.text;
          if (typeof hear === 'function' && text) Reflect.apply(hear, null, [text]);
        });
        try {
          return await answer.done;
        } finally {
          stop();
        }
      },
      [request, name] as const,
    );
  };
}

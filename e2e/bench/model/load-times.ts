/** How long layers take to arrive from a disk, from a hub on this machine and from another device; and what leaves the hub. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import type { LocalHub } from '../../harness/servers/local-hub.ts';
import { openTabRoom } from '../../harness/devices/tab-room.ts';
import { median } from '../statistics.ts';
import type { HostOptions } from '../../../src/room/index.ts';

export interface LoadTimes {
  from: 'disk' | 'hub' | 'peers';
  /** Of layers that a device loaded, as they are stored. */
  loadedMB: number;
  /** From the first byte asked for until the layers can compute; the median. */
  seconds: number;
  MBps: number;
}

export interface HubBytes {
  /** The model's files. */
  modelMB: number;
  leftHubMB: number;
  /** Of that, what was fetched for layers. */
  layersMB: number;
}

interface Loading {
  browser: Browser;
  origin: string;
  /** In Hugging Face's layout. */
  folder: string;
  hub: LocalHub;
  options: Partial<HostOptions>;
}

const rounds = 3;

export async function measureLoadTimes(loading: Loading): Promise<LoadTimes[]> {
  const results: LoadTimes[] = [];
  for (const [from, measureOnce] of [
    ['disk', fromDisk],
    ['hub', fromHub],
    ['peers', fromPeers],
  ] as const) {
    const times: { seconds: number; loadedMB: number }[] = [];
    for (let round = 0; round < rounds; round++) times.push(await measureOnce(loading));
    const seconds = median(times.map((time) => time.seconds));
    const [{ loadedMB }] = times;
    results.push({ from, loadedMB, seconds, MBps: loadedMB / seconds });
  }
  return results;
}

/** Bytes that left the hub until three devices, which each hold a third, could answer. */
export async function measureHubBytes({
  browser,
  origin,
  hub,
  options,
}: Loading): Promise<HubBytes> {
  hub.forgetCounts();
  const room = await openTabRoom(browser, { origin, devices: 3, host: options });
  const { devices, model } = await room.view();
  await room.close();
  return {
    modelMB: (model?.bytes ?? NaN) / 1e6,
    leftHubMB: [...hub.bytesSent.values()].reduce((sum, bytes) => sum + bytes, 0) / 1e6,
    layersMB: devices.reduce((sum, { bytesLoaded }) => sum + bytesLoaded, 0) / 1e6,
  };
}

async function fromHub({ browser, origin, options }: Loading): Promise<Timed> {
  const page = await newPage(browser, origin);
  const timing = timeLoading(page, () =>
    page.evaluate((chosen) => void edgeshard.openRoom(chosen), options),
  );
  return closing(page, timing);
}

async function fromDisk({ browser, origin, options, folder }: Loading): Promise<Timed> {
  const page = await newPage(browser, origin);
  await page.evaluate(() => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.id = 'from-disk';
    document.body.append(input);
  });
  const names = await readdir(folder);
  await page.setInputFiles(
    '#from-disk',
    names.map((name) => join(folder, name)),
  );
  const timing = timeLoading(page, () =>
    page.evaluate((chosen) => {
      const input = document.querySelector<HTMLInputElement>('#from-disk');
      const model = { kind: 'files', files: [...(input?.files ?? [])] } as const;
      void edgeshard.openRoom({ ...chosen, model });
    }, options),
  );
  return closing(page, timing);
}

/** A second device takes half of the layers over from a host that holds them all. */
async function fromPeers({ browser, origin, options }: Loading): Promise<Timed> {
  const room = await openTabRoom(browser, { origin, devices: 1, host: options });
  const link = (await room.view()).link ?? '';
  const page = await newPage(browser, origin);
  const timing = timeLoading(page, () =>
    page.evaluate(([address, device]) => void edgeshard.joinRoom(address, device), [
      link,
      { backend: 'wasm' },
    ] as const),
  );
  const timed = await closing(page, timing);
  await room.close();
  return timed;
}

interface Timed {
  seconds: number;
  loadedMB: number;
}

async function newPage(browser: Browser, origin: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(300_000);
  await page.goto(origin);
  await page.waitForFunction(() => 'edgeshard' in globalThis);
  return page;
}

async function closing(page: Page, timing: Promise<Timed>): Promise<Timed> {
  try {
    return await timing;
  } finally {
    await page.context().close();
  }
}

/** From when the page's own device begins to load until it is ready, in the page's own time. */
async function timeLoading(page: Page, begin: () => Promise<void>): Promise<Timed> {
  await begin();
  return page.evaluate(
    () =>
      new Promise<Timed>((resolve, reject) => {
        let startedMs: number | null = null;
        edgeshard.room?.subscribe(({ devices, phase }) => {
          if (phase.kind === 'closed') reject(new Error(phase.reason));
          const own = devices.at(0);
          if (own?.status.kind === 'loading') startedMs ??= performance.now();
          if (own?.status.kind !== 'ready' || startedMs === null) return;
          const seconds = (performance.now() - startedMs) / 1000;
          resolve({ seconds, loadedMB: own.bytesLoaded / 1e6 });
        });
      }),
  );
}

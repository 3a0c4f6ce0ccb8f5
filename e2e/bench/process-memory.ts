/** Peak resident memory of browser tabs, from the operating system: Linux only, null elsewhere. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Browser } from 'playwright';

export interface RendererMemory {
  /** Ids of the processes that render pages now. */
  renderers(): Promise<number[]>;
  /** The largest resident size that a process ever had, bytes; null where nothing tells. */
  peakBytes(processId: number): Promise<number | null>;
  residentBytes(processId: number): Promise<number | null>;
  /** From now on only the present size and what follows count as the peak. */
  forgetPeak(processId: number): Promise<void>;
}

export async function rendererMemory(browser: Browser): Promise<RendererMemory> {
  const session = await browser.newBrowserCDPSession();
  return {
    async renderers() {
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    },
    peakBytes: (processId) => readFigure(processId, 'VmHWM'),
    residentBytes: (processId) => readFigure(processId, 'VmRSS'),
    forgetPeak: (processId) => writeFile(`/proc/${processId}/clear_refs`, '5'),
  };
}

async function readFigure(processId: number, name: string): Promise<number | null> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => '');
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

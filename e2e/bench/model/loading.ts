/** What a tab's memory grows by while it loads all layers of a model. */
import type { Browser } from 'playwright';
import { viewOf } from '../../harness/devices/tab-room.ts';
import type { RendererMemory } from '../process-memory.ts';
import type { HostOptions } from '../../../src/room/index.ts';

export interface LoadingFigures {
  /** Resident before any layer: the page, ONNX Runtime, what measuring left behind. */
  beforeMB: number;
  peakMB: number;
  /** Resident once everything is loaded. */
  afterMB: number;
  /** Of all layers as they are held. */
  layersMB: number;
  /** What the peak grew by, over the layers: the promise is 1.25 and two layers. */
  grownByRows: number;
  loadMs: number;
}

const patienceMs = 600_000;

/** The room is opened with no memory to speak of, so that it measures itself and waits; then it may load. */
export async function measureLoading(
  browser: Browser,
  memory: RendererMemory,
  origin: string,
  options: Partial<HostOptions>,
): Promise<LoadingFigures> {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(patienceMs);
  await page.goto(origin);
  await page.waitForFunction(() => 'edgeshard' in globalThis);
  await page.evaluate(
    (chosen) => void edgeshard.openRoom({ ...chosen, memoryBudgetBytes: 1e6 }),
    options,
  );
  await page.waitForFunction(() => edgeshard.room?.view.waitingFor?.kind === 'memory');
  const renderer = await largestRenderer(memory);
  await memory.forgetPeak(renderer);
  const before = await memory.peakBytes(renderer);
  const startedMs = performance.now();
  await page.evaluate(
    (bytes) => edgeshard.room?.setMemoryBudget(bytes),
    options.memoryBudgetBytes ?? 4e9,
  );
  await page.waitForFunction(() => edgeshard.room?.view.plan?.status === 'running');
  const loadMs = performance.now() - startedMs;
  const [{ memory: held }] = (await viewOf(page)).devices;
  const peak = await memory.peakBytes(renderer);
  return {
    beforeMB: (before ?? NaN) / 1e6,
    peakMB: (peak ?? NaN) / 1e6,
    grownByRows: ((peak ?? NaN) - (before ?? NaN)) / held.usedBytes,
    afterMB: ((await memory.residentBytes(renderer)) ?? NaN) / 1e6,
    layersMB: held.usedBytes / 1e6,
    loadMs,
  };
}

/** The browser keeps further, empty renderers ready. */
async function largestRenderer(memory: RendererMemory): Promise<number> {
  const renderers = await memory.renderers();
  const sizes = await Promise.all(renderers.map((id) => memory.peakBytes(id)));
  return renderers[sizes.indexOf(Math.max(...sizes.map((size) => size ?? 0)))];
}

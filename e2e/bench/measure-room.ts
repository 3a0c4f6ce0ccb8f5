/** Measures one room: speed against its prediction, what a hop costs, how long loading took, memory. */
import type { Browser, Page } from 'playwright';
import { openTabRoom } from '../harness/devices/tab-room.ts';
import { rendererMemory } from './process-memory.ts';
import { median, quantile } from './statistics.ts';
import { greedy } from '../../src/room/host/decoding/sampler.ts';
import type { AnswerResult, HostOptions, LapTiming, ModelChoice } from '../../src/room/index.ts';

export interface RoomFigures {
  devices: number;
  plan: string;
  msPerToken: number;
  predictedMsPerToken: number;
  /** Of a lap, median: what stages computed, and half the round trips of the links between them. */
  computeMs: number;
  wireMs: number;
  /** `(lap − Σ compute − Σ round trip / 2) / hops`; null without a hop. */
  hopOverheadP50Ms: number | null;
  hopOverheadP95Ms: number | null;
  ttftMs: number;
  /** From opening the first tab to the plan running, nothing cached. */
  coldLoadMs: number;
  /** Peak resident memory of each tab's process, host first, MB. */
  peakMemoryMb: (number | null)[];
  /** Bytes of weights that each tab fetched, host first, MB. */
  loadedMb: number[];
}

export interface MeasureOptions {
  origin: string;
  model: ModelChoice;
  devices: number;
  plan: HostOptions['plan'];
  weights: HostOptions['weights'];
  tokens: number;
  /** Answers measured, after one that warms up. */
  repeats: number;
}

export async function measureRoom(browser: Browser, options: MeasureOptions): Promise<RoomFigures> {
  const memory = await rendererMemory(browser);
  const before = new Set(await memory.renderers());
  const startedMs = performance.now();
  const room = await openTabRoom(browser, {
    origin: options.origin,
    devices: options.devices,
    // One thread a device: the devices of this room share the machine's cores.
    device: { backend: 'wasm', threads: 1 },
    host: {
      model: options.model,
      plan: options.plan,
      weights: options.weights,
    },
  });
  const coldLoadMs = performance.now() - startedMs;
  try {
    const ask = (): Promise<AnswerResult> =>
      room.ask({
        prompt: { kind: 'text', text: 'Once upon a time' },
        sampling: greedy,
        maxNewTokens: options.tokens,
        topLogits: 0,
      });
    await ask();
    const answers: AnswerResult[] = [];
    for (let repeat = 0; repeat < options.repeats; repeat++) answers.push(await ask());
    const view = await room.view();
    const laps = answers.flatMap((answer) => answer.laps.slice(1));
    const hops = (view.plan?.stages.length ?? 1) - 1;
    const overheads = laps.map((lap) => overheadMs(lap) / hops);
    const tabs = (await memory.renderers()).filter((id) => !before.has(id));
    return {
      devices: options.devices,
      plan: (view.plan?.stages ?? [])
        .map(({ device, first, last }) => `${device}:${first}-${last}`)
        .join(' '),
      msPerToken: median(answers.map((answer) => answer.msPerToken)),
      predictedMsPerToken: median(answers.map((answer) => answer.predictedMsPerToken)),
      computeMs: median(laps.map((lap) => sum(lap.hops.map((hop) => hop.computeMs)))),
      wireMs: median(laps.map((lap) => sum(lap.hops.map((hop) => hop.wireMs)))),
      hopOverheadP50Ms: hops > 0 ? median(overheads) : null,
      hopOverheadP95Ms: hops > 0 ? quantile(overheads, 0.95) : null,
      ttftMs: median(answers.map((answer) => answer.ttftMs)),
      coldLoadMs,
      peakMemoryMb: (await Promise.all(tabs.map((id) => memory.peakBytes(id)))).map(
        (bytes) => bytes && bytes / 1e6,
      ),
      loadedMb: view.devices.map(({ bytesLoaded }) => bytesLoaded / 1e6),
    };
  } finally {
    await room.close();
  }
}

/** Milliseconds for which a fresh visit and a second visit of one device wait until the plan runs. */
export async function measureVisits(
  browser: Browser,
  { origin, model }: { origin: string; model: ModelChoice },
): Promise<{ firstVisitMs: number; secondVisitMs: number }> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const visit = async (): Promise<number> => {
      const startedMs = performance.now();
      await page.goto(origin);
      await openAlone(page, model);
      return performance.now() - startedMs;
    };
    return { firstVisitMs: await visit(), secondVisitMs: await visit() };
  } finally {
    await context.close();
  }
}

async function openAlone(page: Page, model: ModelChoice): Promise<void> {
  await page.waitForFunction(() => 'edgeshard' in globalThis);
  await page.evaluate(
    (chosen) => void edgeshard.openRoom({ model: chosen, backend: 'wasm' }),
    model,
  );
  await page.waitForFunction(() => edgeshard.room?.view.plan?.status === 'running');
}

function overheadMs({ lapMs, hops }: LapTiming): number {
  return lapMs - sum(hops.map(({ computeMs, wireMs }) => computeMs + wireMs));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

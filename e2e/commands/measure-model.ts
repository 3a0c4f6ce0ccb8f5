/**
 * `npm run bench:model`: how well and how fast a room runs a model whose answers are known, what each tab
 * holds and loads, and the memory that loading takes at its peak. For models too large for every test run.
 */
import { errorMessage } from '../../src/base/error-message.ts';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import * as v from 'valibot';
import { measureAgreement } from '../bench/model/agreement.ts';
import { measureHubBytes, measureLoadTimes } from '../bench/model/load-times.ts';
import { measureLoading } from '../bench/model/loading.ts';
import { rendererMemory } from '../bench/process-memory.ts';
import { chromiumFlags } from '../harness/chromium-flags.ts';
import { findBrowser } from '../harness/find-browser.ts';
import { serveModel } from '../harness/servers/serve-model.ts';
import { openTabRoom } from '../harness/devices/tab-room.ts';
import type { HostOptions } from '../../src/room/index.ts';

const usage = `Usage: npm run bench:model -- [options]

  --model MODEL      as for npm run demo (default: tinyllama-chat)
  --reference FILE   cases of prompt ids and greedy ids (default: that of tinyllama-chat)
  --devices N        tabs, the layers dealt equally (default: 3)
  --weights W        f32, f16, q8 or q4 (default: f32)
  --memory MB        memory budget of each tab (default: 3500)
  --loading          instead: the peak memory of one tab that loads all layers
  --times            instead, for a model's folder: how long loading takes from a disk, from a hub on this
                     machine and from another device, and what leaves the hub for three devices
`;

const Options = v.object({
  model: v.optional(v.string(), 'tinyllama-chat'),
  reference: v.optional(v.string()),
  devices: v.optional(v.pipe(v.string(), v.regex(/^[1-9]$/), v.transform(Number)), '3'),
  weights: v.optional(v.picklist(['f32', 'f16', 'q8', 'q4']), 'f32'),
  memory: v.optional(v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)), '3500'),
  loading: v.optional(v.boolean(), false),
  times: v.optional(v.boolean(), false),
});

const ReferenceSchema = v.object({
  cases: v.array(v.object({ promptIds: v.array(v.number()), greedyIds: v.array(v.number()) })),
});

const tinyllamaReference = new URL('../fixtures/tinyllama-chat.json', import.meta.url);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(
        ['model', 'reference', 'devices', 'weights', 'memory'].map(
          (name) => [name, { type: 'string' }] as const,
        ),
      ),
      loading: { type: 'boolean' },
      times: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values['help'] === true) {
    console.log(usage);
    return;
  }
  const options = v.parse(Options, values);
  const say = (step: string): void => console.error(step);
  const { executablePath } = await findBrowser(say);
  const served = await serveModel(options.model, say);
  const browser = await chromium.launch({ executablePath, args: chromiumFlags({ webgpu: false }) });
  try {
    const memory = await rendererMemory(browser);
    const host: Partial<HostOptions> = {
      model: served.model,
      backend: 'wasm',
      weights: options.weights,
      wire: 'f32',
      plan: 'even',
      memoryBudgetBytes: options.memory * 1e6,
    };
    if (options.loading) {
      console.log(JSON.stringify(await measureLoading(browser, memory, served.origin, host)));
      return;
    }
    if (options.times) {
      if (!served.hub) throw new Error('--times takes a folder in Hugging Face’s layout');
      const loading = {
        ...{ browser, origin: served.origin, hub: served.hub, options: host },
        folder: options.model,
      };
      for (const layer of await measureLoadTimes(loading)) console.log(JSON.stringify(layer));
      console.log(JSON.stringify(await measureHubBytes(loading)));
      return;
    }
    const startedMs = performance.now();
    const room = await openTabRoom(browser, {
      origin: served.origin,
      devices: options.devices,
      device: { backend: 'wasm', memoryBudgetBytes: options.memory * 1e6 },
      host,
      onStep: say,
    });
    const readyMs = performance.now() - startedMs;
    const file = options.reference ?? tinyllamaReference;
    const { cases } = v.parse(ReferenceSchema, JSON.parse(await readFile(file, 'utf8')));
    const agreement = await measureAgreement(room, cases, say);
    const { devices } = await room.view();
    const peaks = await Promise.all((await memory.renderers()).map((id) => memory.peakBytes(id)));
    console.log(
      JSON.stringify({
        model: options.model,
        weights: options.weights,
        readyMs,
        leftHubMB: served.hub && sum([...served.hub.bytesSent.values()]) / 1e6,
        ...agreement,
        devices: devices.map(({ id, memory: { usedBytes }, bytesLoaded }) => ({
          id,
          heldMB: usedBytes / 1e6,
          loadedMB: bytesLoaded / 1e6,
        })),
        peakResidentMB: peaks.map((bytes) => (bytes ?? 0) / 1e6),
      }),
    );
  } finally {
    await browser.close();
    await served.close();
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(errorMessage(error));
    process.exit(1);
  },
);

/** What every benchmark of real tabs stands on: a browser, a server with the model, an end that leaves neither behind. */
import { errorMessage } from '../../src/base/error-message.ts';
import { availableParallelism, cpus } from 'node:os';
import { chromium, type Browser } from 'playwright';
import { chromiumFlags } from '../harness/chromium-flags.ts';
import { findBrowser } from '../harness/find-browser.ts';
import { serveModel, type ServedModel } from '../harness/servers/serve-model.ts';

export interface BenchStand {
  browser: Browser;
  served: ServedModel;
  /** Browser, cores and processor: figures mean nothing without them. */
  machine: string;
}

/** Steps are told on standard error, so that standard output carries the figures alone. */
export function say(step: string): void {
  console.error(step);
}

export async function onStand(
  model: string,
  measure: (stand: BenchStand) => Promise<void>,
): Promise<void> {
  const { executablePath, version } = await findBrowser(say);
  const served = await serveModel(model, say);
  const browser = await chromium.launch({ executablePath, args: chromiumFlags({ webgpu: false }) });
  const machine = `${version}, ${availableParallelism()} cores, ${cpus()[0].model}`;
  try {
    await measure({ browser, served, machine });
  } finally {
    await browser.close();
    await served.close();
  }
}

/** Throws one sentence that names the option. */
export function wholeNumber(given: string, name: string, least = 1): number {
  const value = Number(given);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`${name} must be a whole number of at least ${least}, not ${given}.`);
  return value;
}

/** Runs a command to its end: PeerServer's timers would keep the process alive. */
export function runCommand(main: () => Promise<void>): void {
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(errorMessage(error));
      process.exit(1);
    },
  );
}

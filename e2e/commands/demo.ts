/** `npm run demo`: a whole room of real, headless browser tabs answers one prompt in the terminal. */
import { errorMessage } from '../../src/base/error-message.ts';
import { chromium } from 'playwright';
import { chromiumFlags } from '../harness/chromium-flags.ts';
import { findBrowser } from '../harness/find-browser.ts';
import { openTabRoom } from '../harness/devices/tab-room.ts';
import { serveModel } from '../harness/servers/serve-model.ts';
import { demoUsage, OptionError, parseDemoOptions, type DemoOptions } from '../demo/options.ts';
import { report, reportJson } from '../demo/report.ts';
import { textPrinter } from '../demo/text-printer.ts';

async function main(): Promise<void> {
  const options = parseDemoOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(demoUsage);
    return;
  }
  await run(options);
}

async function run(options: DemoOptions): Promise<void> {
  // With --json, standard output carries the one object and nothing else.
  const say = (step: string): void => console.error(step);
  const { executablePath } = await findBrowser(say);
  const served = await serveModel(options.model, say, options.hubUrl);
  const browser = await chromium.launch({
    executablePath,
    args: chromiumFlags({ webgpu: options.device.backend === 'webgpu' }),
  });
  try {
    const room = await openTabRoom(browser, {
      origin: served.origin,
      devices: options.devices,
      device: options.device,
      host: { ...options.host, model: served.model },
      onStep: say,
    });
    for (const { device, emulation } of options.links) {
      say(`Device ${device}’s links are slowed down and measured`);
      await room.emulate(device, emulation);
    }
    const printer = textPrinter(options.json ? null : process.stdout);
    const result = await room.ask(options.ask, options.json ? undefined : printer.update);
    printer.end();
    const view = await room.view();
    console.log(options.json ? reportJson(view, result, options) : report(view, result));
  } finally {
    await browser.close();
    await served.close();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(errorMessage(error));
    process.exit(error instanceof OptionError ? 2 : 1);
  },
);

/** `npm run picture`: a real room of three tabs, photographed for the README. */
import { chromium } from 'playwright';
import { defaultModel } from '../../src/model/catalogue.ts';
import { question } from '../bench/room-questions.ts';
import { chromiumFlags } from '../harness/chromium-flags.ts';
import { findBrowser } from '../harness/find-browser.ts';
import { serveModel } from '../harness/servers/serve-model.ts';
import { openTabRoom } from '../harness/devices/tab-room.ts';

const { executablePath } = await findBrowser(console.error);
const served = await serveModel(defaultModel, console.error);
const browser = await chromium.launch({ executablePath, args: chromiumFlags({ webgpu: false }) });
const room = await openTabRoom(browser, {
  origin: served.origin,
  devices: 3,
  device: { backend: 'wasm', threads: 1 },
  host: { model: served.model, plan: 'even', linkBaseUrl: 'https://192.168.1.20:8443/' },
  onStep: console.error,
});
await room.host.setViewportSize({ width: 1280, height: 860 });
await room.ask(question(0, 96));
await room.host.screenshot({ path: 'docs/room.png' });
await browser.close();
await served.close();
process.exit(0);

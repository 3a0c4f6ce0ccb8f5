/**
 * `npm run picture`: a real room of three tabs, photographed for the README: the host's screen, and that of a device on
 * a phone. Saves nothing unless the room takes as long for a token as it predicts.
 */
import { chromium } from 'playwright';
import { errorMessage } from '../src/base/error-message.ts';
import { defaultModel } from '../src/model/catalogue.ts';
import { initialSettings, requestFor } from '../src/ui/conversation/sampling-settings.ts';
import { formatMs } from '../src/ui/format.ts';
import { chromiumFlags } from './harness/chromium-flags.ts';
import { findBrowser } from './harness/find-browser.ts';
import { serveModel } from './harness/serve-model.ts';
import { openTabRoom, type TabRoom } from './harness/tab-room.ts';
import { agree, disagreement, type TokenTimes } from './picture/agreement.ts';
import { photographOnDesktop, photographOnPhone } from './picture/photograph.ts';

/** Always the likeliest token: the same story in every picture. */
const settings = { ...initialSettings, greedy: true, maxNewTokens: 96 };
const story = requestFor('Once upon a time', settings);
const warmUpStory = requestFor('The little dragon was afraid of', settings);

/** The room calibrates its prediction over the first answers, and browsers compile what a token goes through. */
const agreeingInARow = 2;
const mostWarmUps = 16;

async function main(): Promise<void> {
  const { executablePath } = await findBrowser(console.error);
  const served = await serveModel(defaultModel, console.error);
  const browser = await chromium.launch({ executablePath, args: chromiumFlags({ webgpu: false }) });
  try {
    const room = await openTabRoom(browser, {
      origin: served.origin,
      devices: 3,
      device: { backend: 'wasm', threads: 1 },
      host: { model: served.model, plan: 'even', linkBaseUrl: 'https://192.168.1.20:8443/' },
      onStep: console.error,
    });
    await photograph(room);
  } finally {
    await browser.close();
    await served.close();
  }
}

async function photograph(room: TabRoom): Promise<void> {
  await warmUp(room);
  const times = await room.ask(story);
  if (!agree(times)) throw new Error(disagreement(times));
  // The page draws a few times a second: what is photographed is what was checked.
  await room.host
    .getByRole('region', { name: 'One lap, one token' })
    .getByText(formatMs(times.msPerToken), { exact: true })
    .first()
    .waitFor();
  await photographOnDesktop(room.host, 'docs/room.png');
  await photographOnPhone(room.devices[0], 'docs/room-phone.png');
}

/** Answers until prediction and measurement have come together. */
async function warmUp(room: TabRoom): Promise<void> {
  let agreeing = 0;
  for (let answer = 1; answer <= mostWarmUps && agreeing < agreeingInARow; answer++) {
    const times = await room.ask(warmUpStory);
    console.error(`Warming up: ${timesText(times)}`);
    agreeing = agree(times) ? agreeing + 1 : 0;
  }
}

function timesText({ msPerToken, predictedMsPerToken }: TokenTimes): string {
  return `${formatMs(msPerToken)} a token, ${formatMs(predictedMsPerToken)} predicted`;
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(errorMessage(error));
    process.exit(1);
  },
);

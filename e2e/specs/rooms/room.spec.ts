/** Rooms as people use them: links, buttons, text on screens. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright/test';
import { loadTokenizer } from '../../../src/model/text/tokenizer.ts';
import { continuations } from '../../fixtures/reference-cases.ts';
import { shardsDir } from '../../harness/project.ts';
import { expect, test, type Page } from '../../harness/test.ts';

const [reference] = continuations;

/** Everything float32 and every device used, so that the text must be the reference's. */
const exact = '?backend=wasm&threads=1&weights=f32&wire=f32&plan=even';

// As people have it: every device measures itself.
test.use({ measuring: 'each' });

/** A tab that shares two cores with three others takes its time to measure itself. */
const joined = { timeout: 90_000 };

test('a room lives through joining, asking, stopping, leaving and breaking', async ({
  newDevice,
  serverOrigin,
}) => {
  test.setTimeout(360_000);
  const expected = await referenceText();
  const host = await newDevice();
  let whole = '';

  await test.step('the host opens it and can ask alone', async () => {
    await openRoom(host, serverOrigin);
    await sampleGreedily(host, reference.greedyIds.length);
    await expect(layersOf(host, 'host')).toHaveText('whole model', joined);
    expect(await answerTo(host)).toBe(expected);
  });

  await test.step('a prompt longer than the context is refused, and the next is answered', async () => {
    await ask(host, 'Once upon a time there was a dragon. '.repeat(40));
    await expect(host.getByRole('alert')).toHaveText(
      /^The prompt is \d{3} tokens long, and this model reads at most 255: shorten it\.$/,
    );
    expect(await answerTo(host)).toBe(expected);
  });

  const link = await host.getByRole('textbox', { name: 'Room link' }).inputValue();

  await test.step('whoever has no key for it is refused, with a sentence', async () => {
    const stranger = await newDevice();
    await stranger.goto(link.replace(/key=.{8}/, 'key=AAAAAAAA'));
    await expect(stranger.getByRole('alert')).toHaveText(
      'The room’s key does not fit: copy the whole room link again, or scan its code, and open that.',
      joined,
    );
    await expect(host.getByRole('article', { name: /^Device/ })).toHaveCount(1);
    await stranger.close();
  });

  const device = await newDevice();
  await test.step('a device joins by its link, and they answer together', async () => {
    await device.goto(link);
    await expect(layersOf(host, 'a')).toHaveText(/^blocks?\s/, joined);
    await expect(device.getByRole('heading', { level: 1 })).toHaveText('Ready');
    expect(await answerTo(host)).toBe(expected);
  });

  await test.step('the text streams', async () => {
    await sampleGreedily(host, 200);
    const lengths = await lengthsWhileAnswering(host);
    // A running answer is drawn four times a second or more, and 200 tokens take a quick machine half of one.
    expect(lengths.length).toBeGreaterThan(2);
    whole = await lastAnswer(host).getByRole('paragraph').first().innerText();
    expect(whole.startsWith(expected)).toBe(true);
  });

  await test.step('Stop stops', async () => {
    await ask(host);
    const answer = lastAnswer(host);
    await expect(answer).toContainText('Lily');
    await answer.getByRole('button', { name: 'Stop' }).click();
    await expect(answer).toContainText('Stopped');
    const text = await answer.getByRole('paragraph').first().innerText();
    expect(whole.startsWith(text)).toBe(true);
    expect(text.length).toBeLessThan(whole.length);
  });

  const third = await newDevice();
  await test.step('a third device joins, and the next answer uses the new plan', async () => {
    await third.goto(link);
    await expect(layersOf(host, 'b')).toHaveText(/^blocks?\s/, joined);
    await watchStatuses(third);
    await ask(host);
    await finished(host);
    expect(await statusesSeen(third)).toContain('computing');
    expect(await lastAnswer(host).getByRole('paragraph').first().innerText()).toBe(whole);
  });

  await test.step('it leaves in the middle of an answer, which goes on as if nothing were', async () => {
    await watchStatuses(host);
    await ask(host);
    await expect(lastAnswer(host)).toContainText('Lily');
    await third.close();
    await expect(host.getByRole('log')).toContainText('(b) left');
    await finished(host);
    expect(await lastAnswer(host).getByRole('paragraph').first().innerText()).toBe(whole);
    expect(await statusesSeen(host)).toContain('paused');
    await expect(host.getByRole('article', { name: /^Device a/ })).not.toContainText('Failed');
    await expect(layersOf(host, 'a')).toHaveText(/^blocks?\s/, joined);
  });

  await test.step('the other breaks down while nobody asks, and the host answers alone', async () => {
    await sampleGreedily(host, reference.greedyIds.length);
    // The navigation never ends, since the page's process does.
    device.goto('chrome://crash').catch(() => undefined);
    await expect(host.getByRole('log')).toContainText('(a) left', { timeout: 30_000 });
    expect(await answerTo(host)).toBe(expected);
    await expect(host.getByRole('article', { name: /^Device/ })).toHaveCount(1);
  });
});

test('a second visit fetches no weights and no runtime', async ({ newDevice, serverOrigin }) => {
  test.setTimeout(240_000);
  const host = await newDevice();
  const device = await newDevice();
  const asked = { host: heavyRequests(host), device: heavyRequests(device) };
  await openRoom(host, serverOrigin);
  await expect(layersOf(host, 'host')).toHaveText('whole model', joined);
  await device.goto(await host.getByRole('textbox', { name: 'Room link' }).inputValue());
  await expect(layersOf(host, 'a')).toHaveText(/^blocks?\s/, joined);
  expect(asked.host.some((path) => path.endsWith('.bin'))).toBe(true);
  // The device has its layers from the host, or from the server.
  expect(await bytesLoadedBy(device)).toBeGreaterThan(0);
  for (const requests of Object.values(asked)) {
    expect(requests.some((path) => path.endsWith('.wasm'))).toBe(true);
    requests.length = 0;
  }

  await device.reload();
  await expect(layersOf(host, 'b')).toHaveText(/^blocks?\s/, joined);
  expect(await bytesLoadedBy(device)).toBe(0);
  // The room is the host's own: it is there again when its page is.
  await host.reload();
  await expect(host.getByRole('article', { name: /^Device/ })).toHaveCount(2, joined);
  await expect(host.getByRole('article', { name: /^Device/ }).getByText('Ready')).toHaveCount(
    2,
    joined,
  );
  await sampleGreedily(host, 8);
  expect((await referenceText()).startsWith(await answerTo(host))).toBe(true);
  expect(await bytesLoadedBy(host)).toBe(0);
  expect(asked).toEqual({ host: [], device: [] });
});

async function openRoom(host: Page, origin: string): Promise<void> {
  await host.goto(`${origin}/${exact}`);
  await host.getByRole('button', { name: 'Open a room' }).click();
}

async function sampleGreedily(host: Page, maxNewTokens: number): Promise<void> {
  const settings = host.getByText('Sampling', { exact: true }).first();
  await settings.click();
  await host.getByRole('checkbox', { name: /^Greedy/ }).check();
  await host.getByRole('spinbutton', { name: /^Most tokens/ }).fill(String(maxNewTokens));
  await settings.click();
}

/** Asks, and waits until the answer is on the screen, which is drawn once a frame. */
async function ask(host: Page, prompt = reference.prompt): Promise<void> {
  const before = await answers(host).count();
  await host.getByRole('textbox', { name: 'The beginning of a story' }).fill(prompt);
  await host.getByRole('button', { name: 'Go on' }).click(joined);
  if (prompt === reference.prompt) await expect(answers(host)).toHaveCount(before + 1);
}

/** Asks, and gives the prompt with its whole continuation as they stand on the screen. */
async function answerTo(host: Page): Promise<string> {
  await ask(host);
  await finished(host);
  return lastAnswer(host).getByRole('paragraph').first().innerText();
}

async function finished(host: Page): Promise<void> {
  await expect(lastAnswer(host)).toContainText('Ended at the length limit', {
    timeout: 60_000,
  });
}

function answers(host: Page): Locator {
  return host.getByRole('article', { name: `Answer to: ${reference.prompt}` });
}

function lastAnswer(host: Page): Locator {
  return answers(host).last();
}

/** What the host's screen says that a device holds. */
function layersOf(host: Page, deviceId: string): Locator {
  const card = host.getByRole('article', { name: new RegExp(`^Device ${deviceId}:`) });
  return card.getByRole('definition').first();
}

/** How long the text was at each change that the screen showed. */
async function lengthsWhileAnswering(host: Page): Promise<number[]> {
  await ask(host);
  const lengths = lastAnswer(host)
    .getByRole('paragraph')
    .first()
    .evaluate(
      (paragraph) =>
        new Promise<number[]>((resolve) => {
          const seen: number[] = [];
          const footer = paragraph.closest('article')?.querySelector('footer');
          if (footer?.textContent.includes('Ended at')) resolve(seen);
          new MutationObserver(() => {
            const { length } = paragraph.textContent;
            if (length !== seen.at(-1)) seen.push(length);
            if (footer?.textContent.includes('Ended at')) resolve(seen);
          }).observe(paragraph.closest('article') ?? paragraph, {
            subtree: true,
            childList: true,
            characterData: true,
          });
        }),
    );
  await finished(host);
  return lengths;
}

/** From now on: of the last answer on the host, of itself on a device. */
async function watchStatuses(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { seen });
    edgeshard.room?.subscribe(({ role, answers, devices }) => {
      const status = role === 'host' ? answers.at(-1)?.status : devices.at(0)?.status;
      if (status) seen.push(status.kind);
    });
  });
}

function statusesSeen(page: Page): Promise<unknown> {
  return page.evaluate(() => [...new Set(Reflect.get(globalThis, 'seen') as string[])]);
}

/** Bytes of layers that came to this tab from the server or from other devices. */
function bytesLoadedBy(page: Page): Promise<number | undefined> {
  return page.evaluate(
    () => edgeshard.room?.view.devices.find(({ isThisDevice }) => isThisDevice)?.bytesLoaded,
  );
}

/** Paths of the weights and runtime binaries that a page asks for, from now on. */
function heavyRequests(page: Page): string[] {
  const paths: string[] = [];
  page.context().on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (/\.(bin|wasm)$/.test(pathname)) paths.push(pathname);
  });
  return paths;
}

async function referenceText(): Promise<string> {
  const file = await readFile(join(shardsDir, 'stories15m/tokenizer.json'), 'utf8');
  const { prompt, promptIds, greedyIds } = reference;
  const decoder = loadTokenizer(JSON.parse(file)).streamDecoder(promptIds);
  return prompt + greedyIds.map((id) => decoder.push(id)).join('') + decoder.end();
}

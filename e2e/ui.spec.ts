/** The face: what anybody can see, reach and understand, on a phone, a laptop and a projector. */
import { scenes } from '../src/ui/gallery/scenes.ts';
import { startGalleryServer, type GalleryServer } from './harness/gallery-server.ts';
import {
  emptyScroll,
  faintTexts,
  namelessControls,
  outlineFaults,
  sidewaysScroll,
  unfold,
} from './harness/page-audit.ts';
import { expect, test, type Page } from './harness/test.ts';

let gallery: GalleryServer;
test.beforeAll(async () => {
  gallery = await startGalleryServer();
});
test.afterAll(() => gallery.close());

const names = Object.keys(scenes);
const sizes = {
  phone: { width: 360, height: 740 },
  laptop: { width: 1280, height: 800 },
  projector: { width: 1920, height: 1080 },
};

test('every screen fits, can be read in either theme, and names its parts', async ({
  newDevice,
}) => {
  const page = await newDevice();
  const found: Record<string, string[]> = {};
  for (const name of names) {
    await page.goto(gallery.scene(name));
    await expect(page.locator('h1')).toBeAttached();
    const faults = await faultsOf(page);
    if (faults.length > 0) found[name] = faults;
  }
  expect(found).toEqual({});
});

async function faultsOf(page: Page): Promise<string[]> {
  await unfold(page);
  const faults = [...(await namelessControls(page)), ...(await outlineFaults(page))];
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    const pixels = await sidewaysScroll(page);
    if (pixels > 0) faults.push(`${pixels} px too wide on a ${size}`);
    const below = await emptyScroll(page);
    if (below > 0) faults.push(`${below} px of nothing below it on a ${size}`);
  }
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-theme', colorScheme);
    faults.push(...(await faintTexts(page)).map((text) => `${colorScheme}: ${text}`));
  }
  return faults;
}

test('model output, prompts, labels and notices are text, never markup', async ({ newDevice }) => {
  const page = await newDevice();
  await page.goto(gallery.scene('host-markup'));
  await expect(page.getByText('globalThis.hacked = 2"><h1>Big</h1>')).toBeVisible();
  await expect(page.getByRole('heading', { name: '<b onclick="alert(1)">Bold</b>' })).toBeVisible();
  await expect(page.getByText('<b>Somebody</b> at the door')).toBeVisible();
  await expect(page.getByText('globalThis.hacked = 3"> joined')).toBeVisible();
  await expect(page.locator('main img, main script, main b')).toHaveCount(0);
  expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
});

test.describe('asking', () => {
  test('works from the keyboard alone: ask, watch, stop, ask again', async ({ newDevice }) => {
    const page = await newDevice({ viewport: sizes.laptop });
    await page.goto(gallery.scene('live'));
    const prompt = page.getByRole('textbox', { name: 'The beginning of a story' });
    await tabTo(page, prompt);
    await page.keyboard.type('The little dragon was afraid of');
    await page.keyboard.press('Enter');
    const answer = page.getByRole('article', { name: 'Answer to: The little dragon' });
    await expect(answer).toContainText('the dark. Every night');
    await expect(answer).toContainText('tokens/s');
    await page.keyboard.press('Escape');
    await expect(answer).toContainText('Stopped');
    await expect(prompt).toBeFocused();
    await expect(prompt).toHaveValue('');
    await page.keyboard.type('Once');
    await page.keyboard.press('Shift+Enter');
    await expect(prompt).toHaveValue('Once\n');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('article', { name: 'Answer to: Once' })).toBeVisible();
  });

  test('Stop on an answer stops it', async ({ newDevice }) => {
    const page = await newDevice();
    await page.goto(gallery.scene('live'));
    await page.getByRole('button', { name: 'Once upon a time' }).click();
    const answer = page.getByRole('article', { name: 'Answer to: Once upon a time' });
    await expect(answer).toContainText('the dark');
    await answer.getByRole('button', { name: 'Stop' }).click();
    await expect(answer).toContainText('Stopped');
    await expect(answer.getByRole('button', { name: 'Stop' })).toHaveCount(0);
  });

  test('Stop stays within reach while Sampling is unfolded', async ({ newDevice }) => {
    const page = await newDevice({ viewport: { width: 1280, height: 720 } });
    await page.goto(gallery.scene('live'));
    await page.getByRole('button', { name: 'Once upon a time' }).click();
    const answer = page.getByRole('article', { name: 'Answer to: Once upon a time' });
    await expect(answer).toContainText('the dark');
    await page.getByText('Sampling', { exact: true }).first().click();
    const stop = answer.getByRole('button', { name: 'Stop' });
    await expect(stop).toBeInViewport({ ratio: 1 });
    await expect(page.getByRole('textbox', { name: 'The beginning of a story' })).toBeInViewport();
    // A click that something else would take fails.
    await stop.click();
    await expect(answer).toContainText('Stopped');
  });

  test('an answer is read out by whole sentences', async ({ newDevice }) => {
    const page = await newDevice();
    await page.goto(gallery.scene('live'));
    await page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(globalThis, { heard });
      new MutationObserver(() => {
        const spoken = document.querySelector('article [aria-live=polite]')?.textContent;
        if (spoken && heard.at(-1) !== spoken) heard.push(spoken);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await page.getByRole('button', { name: 'Once upon a time' }).click();
    await expect(page.locator('article .text')).toContainText('not afraid any more.');
    await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
    const heard = await page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
    expect(heard.slice(0, 2)).toEqual([
      ' the dark. ',
      'Every night he lit a small lamp and put it by the door of his cave. ',
    ]);
    expect(heard.join('')).toMatch(/he was not afraid any more\.$/);
  });

  test('nothing can be asked of a room that waits for memory, and it says why', async ({
    newDevice,
  }) => {
    const page = await newDevice();
    await page.goto(gallery.scene('host-waiting'));
    await expect(page.getByText('let one more device join')).toBeVisible();
    await page.getByRole('textbox', { name: 'The beginning of a story' }).fill('Once');
    await expect(page.getByRole('button', { name: 'Go on' })).toBeDisabled();
    await expect(page.getByRole('button', { name: 'Once upon a time' })).toBeDisabled();
  });
});

test.describe('visitors', () => {
  test('a question waits in sight of the host until it is allowed or refused', async ({
    newDevice,
  }) => {
    const page = await newDevice({ viewport: sizes.laptop });
    await page.goto(gallery.scene('host-visitors'));
    const pending = page.getByRole('list', { name: 'Questions waiting for you' });
    const question = pending.getByText('Tom had a boat');
    await expect(question).toBeInViewport();
    const answer = page.getByRole('article', { name: 'Answer to: Tom had a boat' });
    await expect(answer).toHaveCount(0);
    await pending.getByRole('button', { name: 'Allow' }).click();
    await expect(question).toHaveCount(0);
    await expect(answer).toContainText('Next in line');
  });

  test('a refused question says so to the host', async ({ newDevice }) => {
    const page = await newDevice({ viewport: sizes.phone });
    await page.goto(gallery.scene('host-visitors'));
    await page.getByRole('button', { name: 'Refuse' }).click();
    const answer = page.getByRole('article', { name: 'Answer to: Tom had a boat' });
    await expect(answer.getByRole('alert')).toHaveText('The host did not allow this question.');
  });

  test('the host changes who may ask', async ({ newDevice }) => {
    const page = await newDevice();
    await page.goto(gallery.scene('host-visitors'));
    const choice = page.getByRole('combobox', { name: 'Others may ask' });
    await expect(choice).toHaveValue('approve');
    await choice.selectOption('freely');
    await expect(choice).toHaveValue('open');
  });

  test('a device asks where the host lets it, and is told who reads its words', async ({
    newDevice,
  }) => {
    const page = await newDevice({ viewport: sizes.phone });
    await page.goto(gallery.scene('device-asking'));
    await expect(page.getByText('The host sees what you ask, allows or refuses it')).toBeVisible();
    await expect(page.getByText('Waiting for the host to allow it')).toBeVisible();
    await page.goto(gallery.scene('device-computing'));
    await expect(page.getByRole('heading', { name: 'Computing' })).toBeVisible();
    await expect(page.getByRole('textbox')).toHaveCount(0);
  });
});

test('the host slows a link down, sees that it is slowed, and lets it be again', async ({
  newDevice,
}) => {
  const page = await newDevice({ viewport: sizes.laptop });
  await page.goto(gallery.scene('live'));
  const card = page
    .getByRole('listitem')
    .filter({ has: page.getByRole('article', { name: 'Device a: Safari on iPhone' }) });
  await card.getByText('Slow its links down').click();
  await card.getByRole('spinbutton', { name: 'Delay, ms' }).fill('20');
  await card.getByRole('spinbutton', { name: 'Loss, %' }).fill('1');
  await card.getByRole('button', { name: 'Apply' }).click();
  await expect(card).toContainText('20.0\u00a0ms more, 1\u00a0% lost');
  await card.getByRole('button', { name: 'As it is' }).click();
  await expect(card).not.toContainText('more');
});

test('the host sees where a token’s time goes, and asks why the plan is this one', async ({
  page,
}) => {
  await page.goto(gallery.scene('host-writing'));
  const panel = page.getByRole('region', { name: 'One lap, one token' });
  await expect(panel.getByRole('row').filter({ hasText: '3–4' })).toContainText('6.1');
  await panel.getByText('Other plans').click();
  await expect(panel.getByRole('row').filter({ hasText: 'The host alone' })).toContainText('38.1');
  await expect(panel.getByRole('listitem').first()).toContainText('a twice as fast');
});

test.describe('choosing a model', () => {
  test('wants a name or an address that can be one', async ({ newDevice }) => {
    const page = await newDevice({ viewport: sizes.phone });
    await page.goto(gallery.scene('start'));
    await page.getByRole('radio', { name: 'From the web' }).check();
    const address = page.getByRole('textbox', { name: 'Name on Hugging Face' });
    await address.pressSequentially('SmolLM2');
    await address.press('Enter');
    await expect(page.getByRole('alert')).toContainText('HuggingFaceTB/SmolLM2-360M-Instruct');
    await expect(address).toHaveValue('SmolLM2');
    await page.getByRole('radio', { name: 'Stories 15M' }).check();
    await page.getByRole('button', { name: 'Open a room' }).click();
    await expect(page.getByRole('alert')).toHaveCount(0);
  });

  test('takes a file from this device, and says what it took', async ({ newDevice }) => {
    const page = await newDevice();
    await page.goto(gallery.scene('start'));
    await page.getByRole('radio', { name: 'From this device' }).check();
    await page.getByRole('button', { name: 'Open a room' }).click();
    await expect(page.getByRole('alert')).toContainText('Choose a GGUF file');
    const file = { name: 'm.gguf', mimeType: '', buffer: Buffer.from('GGUF') };
    await page.getByLabel('GGUF file, all its parts').setInputFiles(file);
    await expect(page.getByText('m.gguf, 4\u00a0B')).toBeVisible();
  });
});

test('a host alone sees the way in and its own device beside each other on a projector', async ({
  newDevice,
}) => {
  const page = await newDevice({ viewport: sizes.projector });
  await page.goto(gallery.scene('host-alone'));
  await expect(page.getByRole('button', { name: 'Copy' })).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole('article', { name: 'Device host' })).toBeInViewport();
});

test('the invitation fills the screen and gives the focus back', async ({ newDevice }) => {
  const page = await newDevice({ viewport: sizes.projector });
  await page.goto(gallery.scene('host-alone'));
  const opener = page.getByRole('button', { name: 'Fill the screen' });
  await opener.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Join this room' });
  const code = dialog.getByRole('img', { name: 'QR code of the room link' });
  await expect(code).toBeInViewport({ ratio: 1 });
  const box = await code.boundingBox();
  expect(box?.height).toBeGreaterThan(600);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(opener).toBeFocused();
});

test('the link is copied whole', async ({ newDevice }) => {
  const page = await newDevice({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(gallery.scene('host-alone'));
  await page.getByRole('button', { name: 'Copy' }).click();
  await expect(page.getByText('Copied.')).toBeVisible();
  const link = await page.getByRole('textbox', { name: 'Room link' }).inputValue();
  expect(link).toMatch(/^https:.*#room=.*&key=/);
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
});

test('a device plays a quiet tone on request, and says what hiding it did', async ({
  newDevice,
}) => {
  const page = await newDevice({ viewport: sizes.phone });
  await page.goto(gallery.scene('device-computing'));
  const note = page.getByRole('region', { name: 'Keep this tab in sight' });
  await note.getByRole('button', { name: 'Play a quiet tone' }).click();
  await expect(note).toContainText('A tone is playing');
  const stop = note.getByRole('button', { name: 'Stop the quiet tone' });
  await expect(stop).toHaveAttribute('aria-pressed', 'true');
  await stop.press('Enter');
  await expect(note.getByRole('button', { name: 'Play a quiet tone' })).toBeVisible();

  await expect(note.getByRole('status')).toBeEmpty();
  await page.evaluate(() => {
    let isHidden = true;
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event('visibilitychange'));
    Object.assign(globalThis, { titleWhileHidden: document.title });
    isHidden = false;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect(note.getByRole('status')).toContainText('out of sight for');
  expect(await page.evaluate(() => Reflect.get(globalThis, 'titleWhileHidden') as string)).toMatch(
    /^Hidden and slowed down · /,
  );
  await expect(page).toHaveTitle(/^(?!Hidden)/);
});

test('the memory slider acts once, when it is let go', async ({ newDevice }) => {
  const page = await newDevice({ viewport: sizes.phone });
  await page.goto(gallery.scene('device-computing'));
  const slider = page.getByRole('slider', { name: 'Memory this tab may use' });
  await expect(slider).toHaveAttribute('aria-valuetext', '2\u00a0GB');
  await slider.press('ArrowLeft');
  await expect(slider).toHaveAttribute('aria-valuetext', '1.5\u00a0GB');
  await expect(page.getByText('of 1.5\u00a0GB')).toBeVisible();
});

/** Presses Tab until `target` has the focus. */
async function tabTo(page: Page, target: ReturnType<Page['getByRole']>): Promise<void> {
  const isFocused = () => target.evaluate((element) => element === document.activeElement);
  for (let presses = 0; presses < 40 && !(await isFocused()); presses++)
    await page.keyboard.press('Tab');
  await expect(target).toBeFocused();
}

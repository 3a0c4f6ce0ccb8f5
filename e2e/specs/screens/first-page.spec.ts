/** The page that the server serves, as somebody meets it who is in no room: what it offers, and what it says is wrong. */
import { faintTexts, namelessControls, sidewaysScroll } from '../../harness/devices/page-audit.ts';
import { expect, test } from '../../harness/test.ts';

const phone = { width: 360, height: 740 };

test('starts with the model the server has', async ({ newDevice, serverOrigin }) => {
  const page = await newDevice({ viewport: phone });
  await page.goto(serverOrigin);
  await expect(page.getByRole('radio', { name: 'Stories 15M' })).toBeChecked();
  await expect(page.getByRole('button', { name: 'Open a room' })).toBeEnabled();
  expect(await namelessControls(page)).toEqual([]);
  expect(await faintTexts(page)).toEqual([]);
  expect(await sidewaysScroll(page)).toBeLessThanOrEqual(0);
});

test('has no gallery in it', async ({ newDevice, serverOrigin }) => {
  const page = await newDevice();
  await page.goto(`${serverOrigin}/?gallery`);
  await expect(page.getByRole('button', { name: 'Open a room' })).toBeVisible();
});

test('names what is wrong with its address', async ({ newDevice, serverOrigin }) => {
  const page = await newDevice();
  await page.goto(`${serverOrigin}/?backend=cuda`);
  await expect(page.getByRole('alert')).toContainText('backend must be auto, webgpu or wasm');
  await page.getByRole('button', { name: 'Start without its settings' }).click();
  await expect(page.getByRole('button', { name: 'Open a room' })).toBeVisible();
});

test('says what is wrong with a damaged room link, and leads on', async ({
  newDevice,
  serverOrigin,
}) => {
  const page = await newDevice();
  await page.goto(`${serverOrigin}/#room=abc&key=short`);
  await expect(page.getByRole('alert')).toContainText('its key is damaged or cut short');
  await page.getByRole('button', { name: 'Open a room of your own' }).click();
  await expect(page.getByRole('button', { name: 'Open a room' })).toBeVisible();
  expect(new URL(page.url()).hash).toBe('');
});

test('says what this device can do', async ({ newDevice, serverOrigin }) => {
  const page = await newDevice({ viewport: phone });
  await page.goto(serverOrigin);
  await page.getByText('What this device can do').click();
  await expect(page.getByText('WebRTC can connect to other devices.')).toBeVisible();
  await expect(page.getByText('Layers are kept for the next visit.')).toBeVisible();
  await expect(page.getByText('otherwise by way of this server')).toBeVisible();
});

test('says why, where the browser keeps from it what this device can do', async ({
  newDevice,
  serverOrigin,
}) => {
  const page = await newDevice();
  // As some extensions for privacy do.
  await page.addInitScript(() => {
    globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
      construct() {
        throw new Error('WebRTC is switched off.');
      },
    });
  });
  await page.goto(serverOrigin);
  await page.getByText('What this device can do').click();
  await expect(page.getByRole('alert')).toContainText('WebRTC is switched off.');
});

test('shows what this browser keeps', async ({ newDevice, serverOrigin }) => {
  const page = await newDevice();
  await page.goto(serverOrigin);
  await page.getByRole('button', { name: 'Storage' }).click();
  await expect(page.getByRole('heading', { name: 'Kept in this browser' })).toBeFocused();
  await expect(page.getByText('No model is kept here.')).toBeVisible();
  const limit = page.getByRole('combobox', { name: 'Keep at most' });
  await limit.selectOption('256\u00a0MB');
  await page.getByRole('button', { name: 'Back' }).click();
  await page.reload();
  await page.getByRole('button', { name: 'Storage' }).click();
  await expect(limit.locator('option:checked')).toHaveText('256\u00a0MB');
});

test('keeps the theme that a person chose', async ({ newDevice, serverOrigin }) => {
  const page = await newDevice({ colorScheme: 'light' });
  await page.goto(serverOrigin);
  await page.getByRole('button', { name: 'Use the dark theme' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

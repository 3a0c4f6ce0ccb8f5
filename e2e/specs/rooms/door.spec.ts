/** Who gets into a room: asking at the door, removing, locking, and what a reload of the host keeps. */
import type { Locator } from 'playwright/test';
import { expect, test, type Page } from '../../harness/test.ts';

const options = '?backend=wasm&threads=1&plan=even&door=approve';
/** Tabs that share two cores take their time. */
const joined = { timeout: 60_000 };

test('the host lets devices in, turns them away, removes them and locks the room', async ({
  newDevice,
  serverOrigin,
}) => {
  test.setTimeout(180_000);
  const host = await newDevice();
  await host.goto(`${serverOrigin}/${options}`);
  await host.getByRole('button', { name: 'Open a room' }).click();
  const link = await host.getByRole('textbox', { name: 'Room link' }).inputValue(joined);
  const friend = await newDevice();

  await test.step('a newcomer waits, and both screens show one number', async () => {
    await friend.goto(link);
    const code = await codeOn(friend);
    await expect(knocks(host)).toHaveCount(1);
    await expect(knocks(host)).toContainText(code);
    await expect(devices(host)).toHaveCount(1);
    await knocks(host).getByRole('button', { name: /^Let / }).click();
    await expect(devices(host)).toHaveCount(2, joined);
    await expect(knocks(host)).toHaveCount(0);
  });

  await test.step('another is turned away, and told so', async () => {
    const other = await newDevice();
    await other.goto(link);
    await codeOn(other);
    await knocks(host)
      .getByRole('button', { name: /^Turn / })
      .click();
    await expect(other.getByRole('alert')).toHaveText('The host did not let this device in.');
    await expect(devices(host)).toHaveCount(2);
    await other.close();
  });

  await test.step('who was let in comes back without asking, even into a locked room', async () => {
    await host
      .getByRole('combobox', { name: 'New devices join' })
      .selectOption('not any more: locked');
    await friend.reload();
    await expect(host.getByRole('log')).toContainText('joined as b', joined);
    await expect(devices(host)).toHaveCount(2);
    const late = await newDevice();
    await late.goto(link);
    await expect(late.getByRole('alert')).toHaveText(
      'The room is locked: ask the host to open it for new devices.',
      joined,
    );
    await late.close();
  });

  await test.step('a removed device is told, and cannot come back', async () => {
    await host.getByText('Remove it').click();
    await host.getByRole('button', { name: /^Remove Chrome/ }).click();
    await expectRemoved(friend);
    await expect(host.getByRole('log')).toContainText('(b) was removed');
    await expect(devices(host)).toHaveCount(1);
    await friend.reload();
    await expectRemoved(friend);
  });

  await test.step('a reload of the host forgets neither the lock nor the ban', async () => {
    await host.reload();
    const door = host.getByRole('combobox', { name: 'New devices join' });
    await expect(door).toHaveValue('locked', joined);
    await door.selectOption('with the link alone');
    await friend.reload();
    await expectRemoved(friend);
    await expect(devices(host)).toHaveCount(1);
  });

  await test.step('keys that are tried out slow the door down, and the host hears of it', async () => {
    const stranger = await newDevice();
    for (let attempt = 0; attempt < 3; attempt++) {
      await stranger.goto(link.replace(/key=.{8}/, `key=AAAAAAA${attempt}`));
      await stranger.reload();
      await expect(stranger.getByRole('alert')).toContainText('key does not fit', joined);
    }
    await expect(host.getByRole('log')).toContainText('tried 3 times to join with a wrong key');
  });
});

/** The number on the screen of a device that waits to be let in. */
async function codeOn(page: Page): Promise<string> {
  await expect(page.getByRole('heading', { name: 'Waiting to be let in' })).toBeVisible(joined);
  return page.getByText(/^\d{4} \d{4} \d{4}$/).innerText();
}

async function expectRemoved(page: Page): Promise<void> {
  await expect(page.getByRole('alert')).toHaveText(
    'The host removed this device from the room.',
    joined,
  );
}

function knocks(host: Page): Locator {
  return host.getByRole('list', { name: 'Devices that want to join' }).getByRole('listitem');
}

function devices(host: Page): Locator {
  return host.getByRole('article', { name: /^Device/ });
}

/** Devices whose browser refuses what others give: storage, locks, or both. */
import { expect, test } from '../../harness/test.ts';

const refusals = {
  locks: `Object.defineProperty(Navigator.prototype, 'locks', {
    get: () => ({ request: () => Promise.reject(new DOMException('The request was denied.', 'SecurityError')) }),
  });`,
  'missing locks': `Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });`,
  storage: `Object.defineProperty(IDBFactory.prototype, 'open', {
    value() { throw new DOMException('Denied.', 'SecurityError'); },
  });
  for (const name of ['localStorage', 'sessionStorage'])
    Object.defineProperty(globalThis, name, { get() { throw new DOMException('Denied.', 'SecurityError'); } });`,
};

test('a browser that refuses locks, storage or both lets its device join all the same', async ({
  newDevice,
  serverOrigin,
}) => {
  const host = await newDevice();
  await host.goto(serverOrigin);
  await host.evaluate(() => void edgeshard.openRoom({ backend: 'wasm', threads: 1 }));
  const link = await host.getByRole('textbox', { name: 'Room link' }).inputValue();
  const scripts = [
    refusals.locks,
    refusals['missing locks'],
    refusals.storage,
    refusals.locks + refusals.storage,
  ];
  for (const [index, script] of scripts.entries()) {
    const guest = await newDevice();
    await guest.addInitScript(script);
    await guest.goto(link);
    await expect
      .poll(() => host.evaluate(() => edgeshard.room?.view.devices.length ?? 0), {
        timeout: 60_000,
      })
      .toBe(index + 2);
    await expect(guest.getByText('after a reload this is a new device')).toBeVisible();
  }
});

/** How devices meet: who is let in, who is refused and told why, and how they do without a socket to the server. */
import { connect, expectSteps, key } from '../../harness/devices/transport-devices.ts';
import { expect, test, type Page } from '../../harness/transport-test.ts';

const otherKey = key.toReversed();

test.describe('joining', () => {
  test('both sides learn who the other is', async ({ pair }) => {
    const { host, guest } = pair;
    expect(await connect(pair)).toEqual({
      dialled: { fingerprint: host.fingerprint },
      accepted: { fingerprint: guest.fingerprint },
    });
    await host.page.evaluate(() => device.sayControl({ hello: ['guest', 1] }));
    await guest.page.waitForFunction(() => device.control().length === 1);
    expect(await guest.page.evaluate(() => device.control())).toEqual([{ hello: ['guest', 1] }]);
  });

  test('with a wrong key is refused, and both are told', async ({ pair }) => {
    const { dialled, accepted } = await connect(pair, { key }, { key: otherKey });
    expect(dialled).toMatchObject({ code: 'wrong-key' });
    expect(accepted).toMatchObject({ code: 'wrong-key' });
  });

  test('with another version is refused, and both are told', async ({ pair }) => {
    const { dialled, accepted } = await connect(pair, { key }, { key, version: 99 });
    expect(dialled).toMatchObject({ code: 'version-mismatch' });
    expect(accepted).toMatchObject({ code: 'version-mismatch' });
  });

  test('as somebody else is refused, though with the room’s key', async ({ pair }) => {
    const expected = { key, expectedFingerprint: 'ab'.repeat(32) };
    const { dialled, accepted } = await connect(pair, expected);
    expect(dialled).toMatchObject({ code: 'wrong-identity' });
    expect(accepted).toMatchObject({ code: 'wrong-identity' });
  });

  test('through a man in the middle is refused by both', async ({ pair, newDevice, browsers }) => {
    const { host, guest } = pair;
    const middle = await newDevice(browsers[0]);
    await middle.page.evaluate((id) => device.relayTo(id), host.id);
    await host.page.evaluate((options) => device.accept(options), { key });
    const accepted = host.page.evaluate(() => device.accepted());
    const dialled = guest.page.evaluate(([id, options]) => device.dial(id, options), [
      middle.id,
      { key },
    ] as const);
    expect(await dialled).toMatchObject({ code: 'wrong-identity' });
    expect(await accepted).toMatchObject({ code: 'wrong-identity' });
  });

  test('without a proof is refused, whatever the stranger says', async ({ pair }) => {
    const { host, guest } = pair;
    await host.page.evaluate((options) => device.accept(options), { key });
    const accepted = host.page.evaluate(() => device.accepted());
    await guest.page.evaluate((id) => device.barge(id), host.id);
    expect(await accepted).toMatchObject({ code: 'bad-message' });
  });

  test('a device that is not there ends in a sentence', async ({ newDevice, browsers }) => {
    const guest = await newDevice(browsers[0]);
    const dialled = await guest.page.evaluate((options) => device.dial('nobody', options), { key });
    expect(dialled).toMatchObject({ code: 'peer-unavailable' });
  });

  test('between devices without a network path ends in a sentence that says whose', async ({
    pair,
  }) => {
    await pair.guest.page.evaluate(() => device.hideAddresses());
    const options = { key, deadlineMs: 2000 };
    const { dialled, accepted } = await connect(pair, options, options);
    const hides = (whose: RegExp) => ({ code: 'no-path', message: expect.stringMatching(whose) });
    expect(dialled).toMatchObject(hides(/^This browser offers no network address/));
    expect(accepted).toMatchObject(hides(/^The other device’s browser offers no network address/));
  });

  test('a name that is taken ends in a sentence', async ({ newDevice, browsers }) => {
    const { id } = await newDevice(browsers[0]);
    await expect(newDevice(browsers[1], { id })).rejects.toThrow(
      /Another open page uses this device’s name/,
    );
  });

  test('a reloaded page is the same device; two tabs are two', async ({
    browsers,
    transportServer,
  }) => {
    const context = await browsers[0].newContext();
    const open = async (page: Page, name: string): Promise<string> => {
      await page.goto(transportServer.origin);
      return page.evaluate((id) => device.register(id, { kept: true }), name);
    };
    const [one, other] = [await context.newPage(), await context.newPage()];
    const first = await open(one, 'one');
    expect(await open(other, 'other')).not.toBe(first);
    await one.reload();
    expect(await open(one, 'one-again')).toBe(first);
    await context.close();
  });
});

test.describe('without a socket to the server', () => {
  test('devices meet all the same, and one that has a socket, too', async ({
    newDevice,
    browsers,
    socketlessServer,
  }) => {
    const phones = await Promise.all(
      browsers.map((browser) => newDevice(browser, { origin: socketlessServer.origin })),
    );
    expect(socketlessServer.refusedSockets()).toBeGreaterThanOrEqual(2);
    const laptop = await newDevice(browsers[0]);
    for (const [host, guest] of [
      [phones[0], phones[1]],
      [laptop, phones[0]],
      [phones[1], laptop],
    ])
      expect(await connect({ host, guest })).toEqual({
        dialled: { fingerprint: host.fingerprint },
        accepted: { fingerprint: guest.fingerprint },
      });
    const nobody = phones[0].page.evaluate((options) => device.dial('nobody', options), { key });
    expect(await nobody).toMatchObject({ code: 'peer-unavailable' });
  });

  test('a broken stream and a broken connection come back', async ({
    newDevice,
    browsers,
    transportServer,
    socketlessServer,
  }) => {
    const [host, guest] = await Promise.all(
      browsers.map((browser) => newDevice(browser, { origin: socketlessServer.origin })),
    );
    await connect({ host, guest });
    await transportServer.goAway();
    await transportServer.comeBack();
    await host.page.evaluate(() => device.keepFrames());
    const sending = guest.page.evaluate(() => device.sendSteadily(10, 7000));
    // The streams find the server again within a few seconds; until then there is no way back.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await guest.page.evaluate(() => device.dropConnections());
    await expectSteps(host, await sending);
    const { resumedAfterMs } = await guest.page.evaluate(() => device.events());
    console.log(`by server-sent events: resumed after ${resumedAfterMs.join(', ')} ms`);
    expect(resumedAfterMs).toHaveLength(1);
  });
});

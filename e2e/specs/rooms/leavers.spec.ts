/** Devices that go without a word, and connections that break: what the room and their screens make of it. */
import { exact, oneThread } from '../../fixtures/exact-room.ts';
import { requestFor } from '../../fixtures/expect-reference.ts';
import { continuations } from '../../fixtures/reference-cases.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { openTabRoom } from '../../harness/devices/tab-room.ts';
import { expect, test, type Page } from '../../harness/test.ts';

const [reference] = continuations;

test('five devices lose the one in the middle without a word, and the answer is the same', async ({
  browser,
  serverOrigin,
}) => {
  test.setTimeout(240_000);
  const room = await openTabRoom(browser, {
    origin: serverOrigin,
    prepare: measureOnce,
    devices: 5,
    device: oneThread,
    host: { ...exact, speculation: false },
  });
  try {
    const stages = (await room.view()).plan?.stages ?? [];
    const others = stages.map(({ device }) => device).filter((device) => device !== 'host');
    expect(others).toHaveLength(4);
    const middle = others[2];
    const pauses = pausesOf(room.host);
    const answering = room.ask(requestFor(reference));
    await room.host.waitForFunction(
      () => (edgeshard.room?.view.answers.at(-1)?.newTokens ?? 0) >= 20,
      undefined,
      { polling: 5 },
    );
    const leaver = room.devices['abcd'.indexOf(middle)];
    // The navigation never ends, since the page's process does.
    void leaver.goto('chrome://crash').catch(() => undefined);
    const { ids } = await answering;
    expect(ids).toEqual(reference.greedyIds);
    expect(await pauses).toMatch(/(does not answer|left); its blocks move to the others\.$/);
    const { plan } = await room.view();
    expect(plan?.stages.map(({ device }) => device)).not.toContain(middle);
    await leaver.close();
  } finally {
    await room.close();
  }
});

/** Why the room's last answer paused; resolves when it is done. */
function pausesOf(host: Page): Promise<string> {
  return host.evaluate(
    () =>
      new Promise<string>((resolve) => {
        let why = '';
        edgeshard.room?.subscribe(({ answers }) => {
          const status = answers.at(-1)?.status;
          if (status?.kind === 'paused') why = status.reason;
          if (status?.kind === 'done') resolve(why);
        });
      }),
  );
}

test('a device whose connection broke says so until it is made anew', async ({
  newDevice,
  serverOrigin,
}) => {
  const host = await newDevice();
  await host.goto(`${serverOrigin}/?backend=wasm&threads=1&plan=even`);
  await host.getByRole('button', { name: 'Open a room' }).click();
  const link = await host.getByRole('textbox', { name: 'Room link' }).inputValue();
  const device = await newDevice();
  await device.addInitScript(keepConnections);
  await device.goto(link);
  const heading = device.getByRole('heading', { level: 1 });
  await expect(heading).toHaveText('Ready', { timeout: 60_000 });
  const shown = await device.evaluateHandle(() => {
    const texts: string[] = [];
    new MutationObserver(() => texts.push(document.body.innerText)).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    return texts;
  });
  await device.evaluate(() => {
    for (const connection of Reflect.get(globalThis, 'connections') as RTCPeerConnection[])
      connection.close();
  });
  await expect
    .poll(() => shown.evaluate((texts) => texts.join('\n')))
    .toMatch(/Connecting again\s+the connection to the host broke and is being restored/);
  await expect(heading).toHaveText('Ready');
});

/** Runs in the page, before the app. */
function keepConnections(): void {
  const connections: RTCPeerConnection[] = [];
  Object.assign(globalThis, { connections });
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      connections.push(this);
    }
  };
}

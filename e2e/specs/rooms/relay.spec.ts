/** Links by way of the server's relay where the network keeps devices apart, and straight ones where it does not. */
import type { Page } from 'playwright';
import { exact, oneThread } from '../../fixtures/exact-room.ts';
import { expectReference } from '../../fixtures/expect-reference.ts';
import { continuations } from '../../fixtures/reference-cases.ts';
import { measureOnce } from '../../harness/devices/measure-once.ts';
import { openTabRoom } from '../../harness/devices/tab-room.ts';
import { expect, test } from '../../harness/test.ts';

test('a room whose devices are kept apart answers by way of the server, and says so', async ({
  browser,
  serverOrigin,
}) => {
  const room = await openTabRoom(browser, {
    origin: serverOrigin,
    prepare: measureOnce,
    devices: 2,
    host: exact,
    device: { ...oneThread, relayOnly: true },
  });
  await expectReference(room, continuations.slice(0, 1));
  const { devices, plan, notices } = await room.view();
  expect(new Set(plan?.stages.map((stage) => stage.device))).toEqual(new Set(['host', 'a']));
  expect(devices[1].link?.relayed).toBe(true);
  expect(notices.map(({ text }) => text).join()).toContain('only by way of the server');
  await expect(room.host.getByRole('article', { name: /^Device a/ })).toContainText(
    'by way of the server',
  );
  await expect(room.devices[0].getByRole('log')).toContainText('only by way of the server');
  await room.close();
});

test('where devices reach each other, packets go straight, relay or not', async ({
  browser,
  serverOrigin,
}) => {
  const room = await openTabRoom(browser, {
    origin: serverOrigin,
    prepare: measureOnce,
    devices: 1,
    host: { ...exact, ...oneThread },
  });
  await recordConnections(room.host);
  await room.join();
  const { devices } = await room.view();
  expect(devices[1].link?.relayed).toBe(false);
  const paths = await pathsOf(room.host);
  expect(paths.length).toBeGreaterThan(0);
  for (const { relayOffered, ends } of paths) {
    expect(relayOffered).toBe(true);
    // The device's own address, under the name that its browser made up or as the server saw it.
    for (const end of ends) expect(['host', 'srflx', 'prflx']).toContain(end);
  }
  await room.close();
});

/** Has the page keep the connections that it makes from now on. */
async function recordConnections(page: Page): Promise<void> {
  await page.evaluate(() => {
    const made: RTCPeerConnection[] = [];
    Object.assign(globalThis, { made });
    globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
      construct(target, parameters) {
        const connection = Reflect.construct(target, parameters) as RTCPeerConnection;
        made.push(connection);
        return connection;
      },
    });
  });
}

/** Of every open connection: whether it might have taken a relay, and what the two ends in use are. */
function pathsOf(page: Page): Promise<{ relayOffered: boolean; ends: string[] }[]> {
  return page.evaluate(async () => {
    const made = Reflect.get(globalThis, 'made') as RTCPeerConnection[];
    const open = made.filter(({ connectionState }) => connectionState === 'connected');
    return Promise.all(
      open.map(async (connection) => {
        const stats = new Map<string, Record<string, string>>();
        (await connection.getStats()).forEach((entry: Record<string, string>) => {
          stats.set(entry['id'], entry);
        });
        const all = [...stats.values()];
        const pairId = all.find(({ type }) => type === 'transport')?.['selectedCandidatePairId'];
        const pair = stats.get(pairId ?? '') ?? {};
        const ends = [pair['localCandidateId'], pair['remoteCandidateId']];
        return {
          relayOffered: (connection.getConfiguration().iceServers ?? []).length > 0,
          ends: ends.map((id) => stats.get(id)?.['candidateType'] ?? 'none'),
        };
      }),
    );
  });
}

import { exact, oneThread } from '../../fixtures/exact-room.ts';
import { continuations } from '../../fixtures/reference-cases.ts';
import { prepareToLie, startLying } from '../../harness/devices/dishonest-device.ts';
import {
  lapOf,
  prepareToAttack,
  say,
  sendBytes,
  sendFrames,
} from '../../harness/devices/hostile-device.ts';
import {
  proofsOf,
  recordProofs,
  replayProofs,
  stealIdentity,
  swapIdentities,
} from '../../harness/devices/hostile-newcomer.ts';
import { askerOf, noticesOf, planOf, viewOf } from '../../harness/devices/tab-room.ts';
import { expect, test, type Page } from '../../harness/test.ts';
import { greedy } from '../../../src/room/host/decoding/sampler.ts';

const [reference] = continuations;
const tokens = 24;
const ready = { timeout: 60_000 };
const hiddenBytes = 288 * 4;

test('nothing that a stranger or a member does stops the room', async ({
  newDevice,
  serverOrigin,
}) => {
  test.setTimeout(240_000);
  const host = await newDevice();
  await host.goto(serverOrigin);
  await host.evaluate((options) => void edgeshard.openRoom(options), { ...oneThread, ...exact });
  await expect.poll(() => planOf(host), ready).toBe('host');
  const link = (await viewOf(host)).link ?? '';
  const keyless = link.replace(/key=.{8}/, 'key=AAAAAAAA');

  async function join(prepare: (page: Page) => Promise<void>): Promise<Page> {
    const page = await newDevice();
    await prepare(page);
    await page.goto(link);
    return page;
  }

  /** What the host answers while `attack` is going on. */
  async function expectHonest(attack: () => Promise<void>): Promise<void> {
    const answering = askerOf(host)({
      prompt: { kind: 'text', text: reference.prompt },
      sampling: greedy,
      maxNewTokens: tokens,
      topLogits: 0,
    });
    await attack();
    const { ids, because } = await answering;
    expect({ because, ids }).toEqual({
      because: 'length',
      ids: reference.greedyIds.slice(0, tokens),
    });
  }

  async function expectNotice(sentence: RegExp): Promise<void> {
    await expect.poll(() => noticesOf(host), ready).toMatch(sentence);
  }

  const bad = await join(async (page) => {
    await prepareToAttack(page);
    await prepareToLie(page);
  });
  await expect.poll(() => planOf(host), ready).toBe('host a host');
  const honest = await join(recordProofs);
  await expect.poll(() => planOf(host), ready).toBe('host a b host');
  const heapBefore = await heapOf(honest);

  await test.step('a recorded proof, and identities that the server swapped, let nobody in', async () => {
    const proofs = await proofsOf(honest);
    expect(proofs.length).toBeGreaterThanOrEqual(2);
    const replaying = await newDevice();
    await replayProofs(replaying, proofs);
    const swapping = await newDevice();
    await swapIdentities(swapping);
    await expectHonest(async () => {
      await Promise.all([replaying.goto(keyless), swapping.goto(link)]);
      await expect(replaying.getByRole('alert')).toContainText('key does not fit', ready);
      await expect(swapping.getByRole('alert')).toContainText(/f(ou|i)nd no network path/, ready);
    });
    expect((await viewOf(host)).devices).toHaveLength(3);
    await replaying.close();
    await swapping.close();
  });

  await test.step('what comes twice, late, of another plan or out of turn changes nothing', async () => {
    await expectHonest(async () => {
      await bad.evaluate(() => (hostile.delayMs = 100));
      await untilTokens(host, 3);
      const { planVersion, stage } = await lapOf(bad);
      expect(await bad.evaluate(() => hostile.repeat('b', 20))).toBeGreaterThan(5);
      const header = { planVersion: planVersion + 7, stage: stage + 1 };
      const payload = new Uint8Array(hiddenBytes).fill(63);
      const frames = Array.from({ length: 40 }, (_, number) => ({ header, payload, number }));
      await sendFrames(bad, 'b', frames.reverse());
    });
    await bad.evaluate(() => (hostile.delayMs = 0));
    expect(await planOf(host)).toBe('host a b host');
  });

  await test.step('who is there and hands nothing on is found, and proves itself before it gets layers again', async () => {
    await expectHonest(async () => {
      await untilTokens(host, 3);
      await startLying(bad, 'silence');
      await expectNotice(
        /\(a\) was at fault\. .*It took in work for a long time, and handed nothing on/,
      );
      await startLying(bad, null);
    });
    await expectNotice(/\(a\) has proven its blocks/);
    await expect.poll(() => planOf(host), ready).toBe('host a b host');
  });

  await test.step('nobody is dropped on another’s word, and who lies of the host is found out', async () => {
    const piece = { file: 1, offset: 0, bytes: 3983616 };
    await expectHonest(async () => {
      await say(bad, { kind: 'weights-disputed', deviceId: 'b', ...piece });
      await expectNotice(/\(a\) says that .*\(b\) gave it bytes that are not the model's/);
      await say(bad, { kind: 'weights-disputed', deviceId: 'host', ...piece });
      await expectNotice(/\(a\) was at fault\. .*It says that the host gave it bytes/);
    });
    await expectNotice(/has proven its blocks[^]*\(a\) has proven its blocks/);
    await expect.poll(() => planOf(host), ready).toBe('host a b host');
  });

  await test.step('who opens sequences without end on the next device is dropped', async () => {
    await expectHonest(async () => {
      await untilTokens(host, 3);
      const { planVersion, stage } = await lapOf(bad);
      const payload = new Uint8Array(hiddenBytes);
      const made = Array.from({ length: 300 }, (_, index) => 5000 + index);
      await sendFrames(
        bad,
        'b',
        made.map((sequence) => ({ payload, header: { planVersion, stage: stage + 1, sequence } })),
      );
      await expectNotice(/\(a\) was at fault twice and was removed: It opened more sequences/);
    });
    await expect(bad.getByRole('alert')).toContainText('This device was at fault twice');
    await expect.poll(() => planOf(host), ready).toBe('host b host');
    expect(await heapOf(honest)).toBeLessThan(heapBefore + 64e6);
  });

  const worse = await join(prepareToAttack);
  await expect.poll(() => planOf(host), ready).toBe('host b c host');

  await test.step('who is introduced again and again has one connection', async () => {
    const connections = await worse.evaluate(() => hostile.connections);
    await expectHonest(async () => {
      await worse.evaluate(() => {
        for (let time = 0; time < 3; time++) hostile.pretend('host', hostile.met['b']);
      });
      const dialled = (): Promise<number> => worse.evaluate(() => hostile.connections);
      await expect.poll(dialled).toBeGreaterThanOrEqual(connections + 3);
    });
    expect(await planOf(host)).toBe('host b c host');
  });

  await test.step('who sends in another’s place, or too much, loses its links, and is named', async () => {
    await expectHonest(async () => {
      await untilTokens(host, 3);
      const { planVersion, stage } = await lapOf(worse);
      const payload = new Uint8Array(hiddenBytes);
      // As the host does, which is before b.
      const header = { planVersion, stage: stage - 1, sequence: 77 };
      await sendFrames(worse, 'b', [{ payload, header }]);
      await expectNotice(
        /\(b\) ended its connection to .*\(c\): c sent a frame for stage 1, which is not its to send\./,
      );
      // An even plan has everybody in the lap, so it goes on when they can all reach each other again.
      await sendBytes(worse, 'host', [Array.from({ length: 5000 }, () => 1)]);
      await expectNotice(/\(c\) broke the rules: The other device sent a slice of 5000 bytes/);
    });
  });

  await test.step('a device in two tabs under one identity is one device', async () => {
    // Whoever lost a link comes back by itself.
    await expectNotice(/joined as d/);
    const twin = await worse.context().newPage();
    await stealIdentity(twin);
    await twin.goto(link);
    await expectNotice(/joined as e/);
    await expect(worse.getByRole('alert')).toContainText('This device has joined anew.', ready);
    await expect
      .poll(async () => (await viewOf(host)).devices.map(({ id }) => id))
      .toEqual(['host', 'b', 'e']);
    await expectHonest(() => Promise.resolve());
  });
});

async function untilTokens(host: Page, count: number): Promise<void> {
  await host.waitForFunction(
    (least) => (edgeshard.room?.view.answers.at(-1)?.newTokens ?? 0) >= least,
    count,
  );
}

/** Bytes of the page's own heap, after what nobody needs has gone. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const {
    usedSize,
    embedderHeapUsedSize = 0,
    backingStorageSize = 0,
  } = (await session.send('Runtime.getHeapUsage')) as {
    usedSize: number;
    embedderHeapUsedSize?: number;
    backingStorageSize?: number;
  };
  await session.detach();
  return usedSize + embedderHeapUsedSize + backingStorageSize;
}

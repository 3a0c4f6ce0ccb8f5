import { afterEach, describe, expect, it } from 'vitest';
import { channelsOf } from './channels.ts';
import { encodeFrame } from './frame.ts';
import { memoryPair, standInForPage, type MemoryPair } from './fixtures/memory-connection.ts';
import { openLink } from './link.ts';
import type { FrameHeader, Link } from './types.ts';

standInForPage();

const key = new Uint8Array(32).fill(7);
const header: FrameHeader = {
  flags: 0,
  dtype: 0,
  planVersion: 1,
  sequence: 1,
  step: 0,
  stage: 0,
  hops: [],
};

interface Ends extends MemoryPair {
  near: Link;
  far: Link;
  /** What the near end says of the far one, once it has ended. */
  endings: [reason: string, cause: string][];
}

const open: Link[] = [];
afterEach(() => {
  for (const link of open.splice(0)) link.close('the test is over');
});

async function linkedPair(): Promise<Ends> {
  const pair = memoryPair({ dialler: 'aa'.repeat(32), acceptor: 'bb'.repeat(32) });
  const [near, far] = await Promise.all([
    openLink(pair.acceptor, { peerId: 'far', key }),
    openLink(pair.dialler, { peerId: 'near', key }),
  ]);
  open.push(near, far);
  const endings: Ends['endings'] = [];
  near.onClosed((...ending) => endings.push(ending));
  return { ...pair, near, far, endings };
}

describe('a link', () => {
  it('carries messages, frames and large messages both ways', async () => {
    const { near, far, deliver } = await linkedPair();
    const heard: unknown[] = [];
    near.onControl((message) => heard.push(message));
    near.onFrame(({ step }, payload) => heard.push([step, ...payload]));
    near.onBulk((bytes) => heard.push(bytes.length));
    far.sendControl({ hello: 1 });
    far.sendFrame({ ...header, step: 5 }, Uint8Array.of(1, 2));
    const sent = far.sendBulk(new Uint8Array(60_000));
    deliver();
    await sent;
    expect(heard).toEqual([{ hello: 1 }, [5, 1, 2], 60_000]);
    expect(await far.ping()).toBeGreaterThan(0);
  });

  it('that has ended takes what is still said on it, and does nothing', async () => {
    const { near, far, deliver, endings } = await linkedPair();
    far.close('it had enough');
    deliver();
    expect(endings).toEqual([['The other device said goodbye: it had enough', 'left']]);
    near.sendControl({ hello: 2 });
    near.sendFrame(header, new Uint8Array(10));
    await expect(near.sendBulk(new Uint8Array(10))).rejects.toThrow(/has ended/);
  });

  it.each<[string, (far: MemoryPair['dialler']) => void, RegExp]>([
    ['bytes that are no frame', (far) => channelsOf(far).tokens.send(Uint8Array.of(9, 9)), /slice/],
    [
      'a frame from far ahead',
      (far) => channelsOf(far).tokens.send(encodeFrame(header, bytes(9), { number: 999 })[0]),
      /frame 999 .* frame 0 was due/,
    ],
    [
      'a message out of turn',
      (far) =>
        channelsOf(far).control.send(JSON.stringify({ kind: 'room', number: 9, message: 1 })),
      /left out one of its messages/,
    ],
    ['text that is no message', (far) => channelsOf(far).control.send('{'), /no message of this/],
    [
      'receipts for what was never sent',
      (far) => channelsOf(far).control.send(JSON.stringify({ kind: 'bulk here', count: 3 })),
      /more large messages than were sent/,
    ],
  ])('is ended by %s, with a sentence, and the other side is told', async (_, misbehave, why) => {
    const { dialler, far, deliver, endings } = await linkedPair();
    const told: string[] = [];
    far.onClosed((reason) => told.push(reason));
    misbehave(dialler);
    deliver();
    expect(endings).toEqual([[expect.stringMatching(why), 'misbehaved']]);
    expect(told).toEqual([expect.stringContaining('breaks the protocol')]);
  });
});

function bytes(length: number): Uint8Array {
  return new Uint8Array(length);
}

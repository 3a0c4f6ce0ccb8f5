import { describe, expect, it } from 'vitest';
import { createEmulatedNetwork, parseEmulatedLink } from './emulated-network.ts';
import { LinkError } from './link-error.ts';

/** Sends messages at once; resolves with each one's number and delay when all have arrived. */
async function sendAll(
  count: number,
  { ordered, emulation }: { ordered: boolean; emulation: string },
): Promise<{ number: number; afterMs: number }[]> {
  const network = createEmulatedNetwork();
  network.emulation = parseEmulatedLink(`a=${emulation}`).emulation;
  const arrivals: { number: number; afterMs: number }[] = [];
  const beganAt = performance.now();
  await new Promise<void>((resolve) => {
    const send = network.through<Uint8Array>(
      (message) => {
        arrivals.push({ number: message[0], afterMs: performance.now() - beganAt });
        if (arrivals.length === count) resolve();
      },
      { ordered },
    );
    for (let number = 0; number < count; number++) send(new Uint8Array(1000).fill(number));
  });
  return arrivals;
}

describe('an emulated network', () => {
  it('costs nothing when there is no emulation', () => {
    const network = createEmulatedNetwork();
    const sent: string[] = [];
    const send = network.through<string>((text) => sent.push(text), { ordered: true });
    send('now');
    expect(sent).toEqual(['now']);
  });

  it('delays every message', async () => {
    const arrivals = await sendAll(5, { ordered: false, emulation: '30ms' });
    for (const { afterMs } of arrivals) expect(afterMs).toBeGreaterThanOrEqual(30);
  });

  it('lets messages through one after the other where bandwidth is limited', async () => {
    // 1000 bytes at 0.8 Mbit/s take 10 ms.
    const arrivals = await sendAll(5, { ordered: true, emulation: '0.8mbit' });
    for (const [index, { afterMs }] of arrivals.entries())
      expect(afterMs).toBeGreaterThanOrEqual(10 * (index + 1));
  });

  it('is one network for all the connections of a link: more of them make no more bandwidth', async () => {
    const network = createEmulatedNetwork();
    network.emulation = parseEmulatedLink('a=0.8mbit').emulation;
    const beganAt = performance.now();
    let arrived = 0;
    await new Promise<void>((resolve) => {
      const ways = [1, 2, 3, 4].map(() =>
        network.through<Uint8Array>(
          () => {
            if (++arrived === 8) resolve();
          },
          { ordered: false },
        ),
      );
      for (let count = 0; count < 8; count++) ways[count % 4](new Uint8Array(1000));
    });
    expect(performance.now() - beganAt).toBeGreaterThanOrEqual(80);
  });

  it('keeps the order of an ordered channel whatever the jitter', async () => {
    const arrivals = await sendAll(40, { ordered: true, emulation: '20ms~20ms' });
    expect(arrivals.map(({ number }) => number)).toEqual(arrivals.map((_, index) => index));
  });

  it('sends what is lost again, after a wait, and loses nothing for good', async () => {
    const arrivals = await sendAll(3, { ordered: false, emulation: '1ms/100%' });
    for (const { afterMs } of arrivals) expect(afterMs).toBeGreaterThanOrEqual(401);
  });

  it('finishes what was under way in order when it is lifted', async () => {
    const network = createEmulatedNetwork();
    network.emulation = { delayMs: 20, jitterMs: 0, lossRate: 0 };
    const sent: string[] = [];
    const done = new Promise<void>((resolve) => {
      const send = network.through<string>(
        (text) => {
          sent.push(text);
          if (sent.length === 2) resolve();
        },
        { ordered: true },
      );
      send('first');
      network.emulation = null;
      send('second');
    });
    await done;
    expect(sent).toEqual(['first', 'second']);
  });
});

describe('the words for an emulated link', () => {
  it.each([
    ['a=20ms/50mbit/1%', 'a', { delayMs: 20, jitterMs: 0, lossRate: 0.01, mbps: 50 }],
    ['phone-2=20ms~5ms', 'phone-2', { delayMs: 20, jitterMs: 5, lossRate: 0 }],
    ['b=2.5mbit', 'b', { delayMs: 0, jitterMs: 0, lossRate: 0, mbps: 2.5 }],
  ])('%s', (text, device, emulation) => {
    expect(parseEmulatedLink(text)).toEqual({ device, emulation });
  });

  it.each(['', 'a', 'a=', 'a=20', 'a=0mbit', 'a=101%', 'a=20ms/fast', '=20ms'])(
    '“%s” is refused',
    (text) => expect(() => parseEmulatedLink(text)).toThrow(LinkError),
  );
});

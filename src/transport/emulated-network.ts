/**
 * A worse network than the real one, for classrooms and benchmarks: delay, jitter, loss and a bandwidth limit, applied
 * where a message is sent. With emulation off a message goes straight through.
 */
import { LinkError } from './link-error.ts';
import type { LinkEmulation } from './types.ts';

export interface EmulatedNetwork {
  emulation: LinkEmulation | null;
  /** A channel's way out, delayed while there is an emulation. An ordered channel keeps its order. */
  through<Message extends string | Uint8Array>(
    send: (message: Message) => void,
    options: { ordered: boolean },
  ): (message: Message) => void;
  /** Resolves when the emulated wire has room for a large message's next piece. */
  room(): Promise<void>;
  /** Drops what is still on its way. */
  close(): void;
}

/** What SCTP waits before it sends a lost message again, at the least. */
const retransmissionMs = 400;
/** Large messages may fill so much of the emulated wire ahead of time. */
const wireAheadMs = 20;

export function createEmulatedNetwork(random: () => number = Math.random): EmulatedNetwork {
  let emulation: LinkEmulation | null = null;
  let wireFreeAt = 0;
  let closed = false;

  function through<Message extends string | Uint8Array>(
    send: (message: Message) => void,
    { ordered }: { ordered: boolean },
  ): (message: Message) => void {
    let lastArrival = 0;
    const queue: Message[] = [];
    return (message) => {
      if (!emulation && queue.length === 0) {
        send(message);
        return;
      }
      const arrival = Math.max(arrivalOf(message.length), ordered ? lastArrival : 0);
      lastArrival = arrival;
      queue.push(message);
      at(arrival, () => {
        // Two that arrive at one time may be woken in any order; the first in the queue goes first.
        const [arrived] = queue.splice(ordered ? 0 : queue.indexOf(message), 1);
        if (!closed) send(arrived);
      });
    };
  }

  function arrivalOf(bytes: number): number {
    const now = performance.now();
    if (!emulation) return now;
    const { delayMs, jitterMs, lossRate, mbps } = emulation;
    const wireMs = mbps === undefined ? 0 : (bytes * 8) / (mbps * 1000);
    wireFreeAt = Math.max(now, wireFreeAt) + wireMs;
    const jitter = (2 * random() - 1) * jitterMs;
    const again = random() < lossRate ? Math.max(retransmissionMs, 2 * delayMs) : 0;
    return wireFreeAt + Math.max(0, delayMs + jitter) + again;
  }

  return {
    get emulation() {
      return emulation;
    },
    set emulation(value) {
      emulation = value;
      wireFreeAt = 0;
    },
    through,
    room() {
      const aheadMs = wireFreeAt - performance.now() - wireAheadMs;
      if (!emulation || aheadMs <= 0) return Promise.resolve();
      return new Promise((resolve) => setTimeout(resolve, aheadMs));
    },
    close() {
      closed = true;
    },
  };
}

/** Timers are late by a millisecond or more; the last stretch is waited for by passing tasks. */
function at(time: number, work: () => void): void {
  const leftMs = time - performance.now();
  if (leftMs <= 0) {
    work();
  } else if (leftMs > 2) {
    setTimeout(() => at(time, work), leftMs - 2);
  } else {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      at(time, work);
    };
    port2.postMessage(null);
  }
}

const partPatterns = {
  delay: /^(\d+(?:\.\d+)?)ms(?:~(\d+(?:\.\d+)?)ms)?$/,
  bandwidth: /^(\d+(?:\.\d+)?)mbit$/,
  loss: /^(\d+(?:\.\d+)?)%$/,
};

/**
 * Reads `a=20ms/50mbit/1%`: which device's links, and how they behave, in any order and each part optional; `20ms~5ms`
 * is 20 ms give or take 5. Throws a `LinkError` (`bad-request`) for anything else.
 */
export function parseEmulatedLink(text: string): { device: string; emulation: LinkEmulation } {
  const [, device = '', network = ''] = /^([A-Za-z0-9_-]{1,64})=(.+)$/.exec(text) ?? [];
  const emulation: LinkEmulation = { delayMs: 0, jitterMs: 0, lossRate: 0 };
  for (const part of network.split('/')) {
    const delay = partPatterns.delay.exec(part);
    const bandwidth = partPatterns.bandwidth.exec(part);
    const loss = partPatterns.loss.exec(part);
    if (delay) {
      const [, delayMs, jitterMs = 0] = delay;
      emulation.delayMs = Number(delayMs);
      emulation.jitterMs = Number(jitterMs);
    } else if (bandwidth && Number(bandwidth[1]) > 0) {
      emulation.mbps = Number(bandwidth[1]);
    } else if (loss && Number(loss[1]) <= 100) {
      emulation.lossRate = Number(loss[1]) / 100;
    } else {
      throw new LinkError(
        'bad-request',
        `An emulated link looks like a=20ms/50mbit/1% or b=20ms~5ms, not “${text}”.`,
      );
    }
  }
  return { device, emulation };
}

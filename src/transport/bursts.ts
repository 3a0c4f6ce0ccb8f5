/** Bursts of bytes whose arrival the other side times, to learn a link's bandwidth. */
import type { BurstReport } from './bulk-piece.ts';
import { LinkError } from './link-error.ts';

export interface Bursts {
  /** Sends so many bytes at once; what the other side says about their arrival. */
  send(bytes: number): Promise<BurstReport>;
  /** The other side's report on the longest awaited one. */
  reported(report: BurstReport): void;
}

export function createBursts(
  sendBytes: (bytes: Uint8Array) => Promise<void>,
  deadlineMs: number,
): Bursts {
  const awaited: ((report: BurstReport) => void)[] = [];
  return {
    send: (bytes) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(burstLost()), deadlineMs);
        awaited.push((report) => {
          clearTimeout(timer);
          resolve(report);
        });
        sendBytes(new Uint8Array(bytes)).catch(reject);
      }),
    reported: (report) => awaited.shift()?.(report),
  };
}

function burstLost(): LinkError {
  return new LinkError('timeout', 'The other device did not report a bandwidth test in time.');
}

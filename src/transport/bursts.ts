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
        const take = (report: BurstReport): void => {
          clearTimeout(timer);
          resolve(report);
        };
        const giveUp = (reason: Error): void => {
          clearTimeout(timer);
          // The next report is another one's.
          const at = awaited.indexOf(take);
          if (at !== -1) awaited.splice(at, 1);
          reject(reason);
        };
        const timer = setTimeout(() => giveUp(burstLost()), deadlineMs);
        awaited.push(take);
        sendBytes(new Uint8Array(bytes)).catch(giveUp);
      }),
    reported: (report) => awaited.shift()?.(report),
  };
}

function burstLost(): LinkError {
  return new LinkError('timeout', 'The other device did not report a bandwidth test in time.');
}

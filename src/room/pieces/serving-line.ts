/** In which order devices are given what they ask for: each in turn, so that none keeps the others waiting. */

export interface ServingLine {
  /** Does the work when its turn comes; false where that device has too much waiting already. */
  add(deviceId: string, work: () => Promise<void>): boolean;
  /** What waits for that device is not done any more. */
  lost(deviceId: string): void;
}

/** Pieces of 4 MiB are read into memory before they are sent: 16 MiB for one device, 32 MiB for all. */
export const servedAtOnce = 4;
export const servedInAll = 8;
/** An honest device has no more than a few wishes under way at one holder. */
export const mostWaiting = 32;

export function createServingLine(): ServingLine {
  const waiting = new Map<string, (() => Promise<void>)[]>();
  const serving = new Map<string, number>();
  let inAll = 0;

  const servedTo = (deviceId: string): number => serving.get(deviceId) ?? 0;

  function serveNext(): void {
    for (const [deviceId, works] of waiting) {
      if (inAll >= servedInAll) return;
      if (servedTo(deviceId) >= servedAtOnce) continue;
      const work = works.shift();
      // To the end of the line with this device, if it is still in it.
      waiting.delete(deviceId);
      if (works.length > 0) waiting.set(deviceId, works);
      if (work) void serve(deviceId, work);
    }
  }

  async function serve(deviceId: string, work: () => Promise<void>): Promise<void> {
    inAll++;
    serving.set(deviceId, servedTo(deviceId) + 1);
    try {
      await work();
    } finally {
      inAll--;
      if (servedTo(deviceId) > 1) serving.set(deviceId, servedTo(deviceId) - 1);
      else serving.delete(deviceId);
      serveNext();
    }
  }

  return {
    add(deviceId, work) {
      const works = waiting.get(deviceId) ?? [];
      if (works.length >= mostWaiting) return false;
      works.push(work);
      waiting.set(deviceId, works);
      serveNext();
      return true;
    },
    lost: (deviceId) => void waiting.delete(deviceId),
  };
}

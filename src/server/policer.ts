/** A share of the network: what exceeds it is dropped, as a router would, and the sender slows down. */

export interface Rate {
  /** What may pass at once. */
  burstBytes: number;
  bytesPerSecond: number;
}

/** Takes a packet's size; false where the packet is to be dropped. */
export function createPolicer(
  { burstBytes, bytesPerSecond }: Rate,
  nowMs: () => number = () => performance.now(),
): (bytes: number) => boolean {
  let leftBytes = burstBytes;
  let filledAtMs = nowMs();
  return (bytes) => {
    const atMs = nowMs();
    leftBytes = Math.min(burstBytes, leftBytes + ((atMs - filledAtMs) / 1000) * bytesPerSecond);
    filledAtMs = atMs;
    if (leftBytes < bytes) return false;
    leftBytes -= bytes;
    return true;
  };
}

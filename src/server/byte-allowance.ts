/** How much a device, or all together, may send: a bucket of bytes that refills steadily. */

export interface ByteRate {
  /** What may come at once. */
  burstBytes: number;
  bytesPerSecond: number;
}

/** Takes so many bytes out of the bucket; false, and none are taken, where it holds fewer. */
export type ByteAllowance = (bytes: number) => boolean;

export function createByteAllowance(
  { burstBytes, bytesPerSecond }: ByteRate,
  nowMs: () => number = () => performance.now(),
): ByteAllowance {
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

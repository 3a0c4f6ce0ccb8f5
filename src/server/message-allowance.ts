/** How much one connection may send: a bucket of bytes that refills steadily. */

export interface AllowanceLimits {
  /** What may come at once. */
  burstBytes: number;
  bytesPerSecond: number;
  /** What even an empty message costs. */
  leastBytes: number;
}

/** Takes a message's size; false once the connection has sent more than its share. */
export function messageAllowance(
  { burstBytes, bytesPerSecond, leastBytes }: AllowanceLimits,
  nowMs: () => number = () => performance.now(),
): (bytes: number) => boolean {
  let leftBytes = burstBytes;
  let filledAtMs = nowMs();
  return (bytes) => {
    const atMs = nowMs();
    const refillBytes = ((atMs - filledAtMs) / 1000) * bytesPerSecond;
    filledAtMs = atMs;
    leftBytes = Math.min(burstBytes, leftBytes + refillBytes) - Math.max(bytes, leastBytes);
    return leftBytes >= 0;
  };
}

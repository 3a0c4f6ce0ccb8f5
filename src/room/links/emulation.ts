/** Worse networks for classroom experiments. A device's emulation slows every link it has, at both ends. */
import type { LinkEmulation } from '../../transport/index.ts';

/** How much worse a link between two devices is made; null where neither device is emulated. */
export function combinedEmulation(
  a: LinkEmulation | null,
  b: LinkEmulation | null,
): LinkEmulation | null {
  if (!a || !b) return a ?? b;
  const limits = [a.mbps, b.mbps].filter((mbps) => mbps !== undefined);
  return {
    delayMs: a.delayMs + b.delayMs,
    jitterMs: a.jitterMs + b.jitterMs,
    lossRate: 1 - (1 - a.lossRate) * (1 - b.lossRate),
    ...(limits.length > 0 && { mbps: Math.min(...limits) }),
  };
}

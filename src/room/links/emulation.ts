/** Worse networks for classroom experiments: a device's emulation slows every link it has, at both ends. */
import type { LinkEmulation } from '../../transport/index.ts';

/** What a link between two devices is slowed to; null for two that are not. */
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

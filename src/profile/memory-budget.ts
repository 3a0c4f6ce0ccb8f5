/**
 * How many bytes a tab may hold. Nothing in a browser says it: allocating until it fails does not work
 * (a laptop with 16 GB granted 64), and phones kill a tab near 1–1.5 GB. So a budget is assumed from
 * what the platform tells, stated on screen, and adjustable.
 */
import type { Backend } from '../engine/engine.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

export interface Platform {
  /** `navigator.deviceMemory`: GiB, rounded and capped by the browser; absent in Safari and Firefox. */
  deviceMemoryGiB?: number;
  isPhoneOrTablet: boolean;
  isIos: boolean;
  backend: Backend;
}

/** Budgets below this hold not even a small model's embedding. */
export const minMemoryBudgetBytes = 64 * MiB;

/** The assumed budget, in bytes: cautious on phones, a quarter of the memory elsewhere. */
export function assumedMemoryBudget(platform: Platform): number {
  const { deviceMemoryGiB, isPhoneOrTablet, isIos, backend } = platform;
  if (isIos) return 600 * MiB;
  if (isPhoneOrTablet) return Math.min(800 * MiB, ((deviceMemoryGiB ?? 3) * GiB) / 4);
  const quarter = ((deviceMemoryGiB ?? 8) * GiB) / 4;
  // A wasm heap ends at 4 GiB; the runtime and its buffers need some of it.
  return backend === 'wasm' ? Math.min(quarter, 3 * GiB) : quarter;
}

/**
 * Estimates how many bytes a tab may hold, which no browser states. Allocating until it fails does not work
 * (a laptop with 16 GB granted 64), and phones end a tab near 1–1.5 GB. So a budget is assumed from what the
 * platform states, shown on screen, and adjustable.
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

/** Smaller budgets have no room even for a small model's embedding. */
export const minMemoryBudgetBytes = 64 * MiB;

/** The assumed budget, in bytes: low on phones, a quarter of the memory elsewhere. */
export function assumedMemoryBudget(platform: Platform): number {
  const { deviceMemoryGiB, isPhoneOrTablet, isIos, backend } = platform;
  if (isIos) return 600 * MiB;
  if (isPhoneOrTablet) return Math.min(800 * MiB, ((deviceMemoryGiB ?? 3) * GiB) / 4);
  const quarter = ((deviceMemoryGiB ?? 8) * GiB) / 4;
  // A wasm heap is limited to 4 GiB, and the runtime and its buffers need some of it.
  return backend === 'wasm' ? Math.min(quarter, 3 * GiB) : quarter;
}

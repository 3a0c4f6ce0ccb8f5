/** What a device has measured of itself, and what follows from it. */
import type { ComputeProfile } from '../../../engine/engine.ts';

/** One token through a block with so many positions before it. */
export function blockMsAt(
  { blockMs, attendMs }: Pick<ComputeProfile, 'blockMs' | 'attendMs'>,
  position: number,
): number {
  return blockMs + attendMs * position;
}

export interface DeviceProfile {
  compute: ComputeProfile;
  callMs: number;
  adapter: string;
  budgetBytes: number;
}

/** For one block more than it holds. */
export function hasRoomForLayer(
  { compute, budgetBytes }: DeviceProfile,
  usedBytes: number,
): boolean {
  return usedBytes + compute.blockBytes <= budgetBytes;
}

/** What a device has measured of itself, and what follows from it. */
import type { ComputeProfile } from '../../../engine/engine.ts';

/** One token through a layer with so many positions before it. */
export function layerMsAt(
  { layerMs, attendMs }: Pick<ComputeProfile, 'layerMs' | 'attendMs'>,
  position: number,
): number {
  return layerMs + attendMs * position;
}

export interface DeviceProfile {
  compute: ComputeProfile;
  callMs: number;
  adapter: string;
  budgetBytes: number;
}

/** For one layer more than it holds. */
export function hasRoomForRow({ compute, budgetBytes }: DeviceProfile, usedBytes: number): boolean {
  return usedBytes + compute.layerBytes <= budgetBytes;
}

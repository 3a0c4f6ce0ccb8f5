import type { DeviceView, LayerRange, PlanView } from '../../room/index.ts';

export interface LayerRun extends LayerRange {
  /** Null where no device holds the layers yet. */
  device: string | null;
  /** 0 to 1: how much of the layers is on the device. */
  loaded: number;
}

/**
 * The plan says whose a layer is; without one, what the devices hold. A layer planned for a device that is
 * still loading is as far as that device's loading is, unless it already holds the layer. A device that is
 * not listed has gone; but where not every device is known, it is taken at the plan's word.
 */
export function layerRuns(
  modelLayers: number,
  plan: PlanView | null,
  devices: readonly DeviceView[],
  knowsEveryDevice = true,
): LayerRun[] {
  const runs: LayerRun[] = [];
  for (let layer = 0; layer < modelLayers; layer++) {
    const device = plan ? plannedHolder(layer, plan) : currentHolder(layer, devices);
    const loaded = device === null ? 0 : loadedFraction(layer, device, devices, knowsEveryDevice);
    const previous = runs.at(-1);
    if (previous && previous.device === device && previous.loaded === loaded) previous.last = layer;
    else runs.push({ device, first: layer, last: layer, loaded });
  }
  return runs;
}

function plannedHolder(layer: number, plan: PlanView): string | null {
  return plan.stages.find((stage) => holds([stage], layer))?.device ?? null;
}

function currentHolder(layer: number, devices: readonly DeviceView[]): string | null {
  return devices.find((device) => holds(device.layers, layer))?.id ?? null;
}

function loadedFraction(
  layer: number,
  id: string,
  devices: readonly DeviceView[],
  knowsEveryDevice: boolean,
): number {
  const device = devices.find((candidate) => candidate.id === id);
  if (!device) return knowsEveryDevice ? 0 : 1;
  if (holds(device.layers, layer)) return 1;
  const { status } = device;
  if (status.kind !== 'loading' || status.bytesTotal === 0) return 0;
  return Math.min(1, status.bytesLoaded / status.bytesTotal);
}

function holds(ranges: readonly LayerRange[], layer: number): boolean {
  return ranges.some(({ first, last }) => first <= layer && layer <= last);
}

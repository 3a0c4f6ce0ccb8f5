/** The cost of a placement. Solvers use arithmetic of their own to search; plans report this one. */
import { kindOf, memoryBytesOf, transferMs, type Instance } from './instance.ts';
import { formatBytes } from './words.ts';

/** Layers `first` … `last` on `instance.devices[device]`. */
export interface Placed {
  device: number;
  first: number;
  last: number;
}

export type Placement = Placed[];

export interface Cost {
  computeMs: number;
  linkMs: number;
}

/**
 * The sum of all layer times and of all transfers, including the return to the source. Infinite if a link is
 * missing.
 */
export function latencyCost(instance: Instance, placement: Placement): Cost {
  let computeMs = 0;
  let linkMs = 0;
  for (const stage of placement) computeMs += stageMs(instance, stage);
  for (const hop of hopsOf(instance, placement)) linkMs += hop.ms;
  return { computeMs, linkMs };
}

/** The busiest device's layer times, and the slowest transfer. */
export function throughputCost(instance: Instance, placement: Placement): Cost {
  const busyMs = new Map<number, number>();
  for (const stage of placement)
    busyMs.set(stage.device, (busyMs.get(stage.device) ?? 0) + stageMs(instance, stage));
  return {
    computeMs: Math.max(...busyMs.values()),
    linkMs: hopsOf(instance, placement).reduce((slowest, { ms }) => Math.max(slowest, ms), 0),
  };
}

export function stageMs(instance: Instance, { device, first, last }: Placed): number {
  const { layerMs } = kindOf(instance, device);
  let ms = 0;
  for (let layer = first; layer <= last; layer++) ms += layerMs[layer];
  return ms;
}

export interface Hop {
  from: number;
  to: number;
  /** The layer whose output is sent. */
  afterLayer: number;
  ms: number;
}

/** Every transfer of one lap in order, including the return to the source. */
export function hopsOf(instance: Instance, placement: Placement): Hop[] {
  const hops: Hop[] = [];
  for (const [index, { device: from, last: afterLayer }] of placement.entries()) {
    const to = index + 1 < placement.length ? placement[index + 1].device : instance.source;
    if (from === to) continue;
    const ms = transferMs(
      instance,
      afterLayer,
      instance.devices[from].kind,
      instance.devices[to].kind,
    );
    hops.push({ from, to, afterLayer, ms });
  }
  return hops;
}

/** Bytes of weights that devices would still have to load for this placement. */
export function loadBytesOf(instance: Instance, placement: Placement): number {
  let bytes = 0;
  for (const { device, first, last } of placement) {
    const { loaded } = kindOf(instance, device);
    for (let layer = first; layer <= last; layer++)
      if (loaded[layer] !== 1) bytes += instance.layerWeightBytes[layer];
  }
  return bytes;
}

/** Joins neighbouring ranges on the same device. */
export function mergeStages(placement: Placement): Placement {
  const merged: Placement = [];
  for (const stage of placement) {
    const before = merged.at(-1);
    if (before?.device === stage.device) before.last = stage.last;
    else merged.push({ ...stage });
  }
  return merged;
}

/** The placement in which each layer is on the given device. */
export function placementOfLayers(deviceOfLayer: readonly number[]): Placement {
  return mergeStages(deviceOfLayer.map((device, layer) => ({ device, first: layer, last: layer })));
}

/** Why a placement cannot run, in one clause; null if it can. */
export function findViolation(instance: Instance, placement: Placement): string | null {
  const layersOf = new Map<number, number[]>();
  let next = 0;
  for (const { device, first, last } of placement) {
    if (first !== next || last < first) return `layers ${next} to ${first} are not in order`;
    next = last + 1;
    const layers = layersOf.get(device) ?? [];
    for (let layer = first; layer <= last; layer++) {
      const pinned = layer < instance.pinFirst || layer >= instance.pinLastFrom;
      if (pinned && device !== instance.source) return `layer ${layer} must stay on the source`;
      layers.push(layer);
    }
    layersOf.set(device, layers);
  }
  if (next !== instance.layerCount) return `layers from ${next} on are on no device`;
  for (const [device, layers] of layersOf) {
    const hasBytes = kindOf(instance, device).memoryBytes;
    const needsBytes = memoryBytesOf(instance, layers);
    if (needsBytes > hasBytes)
      return `${instance.devices[device].id} would need ${formatBytes(needsBytes)} and has ${formatBytes(hasBytes)}`;
  }
  for (const { from, to, ms } of hopsOf(instance, placement))
    if (!Number.isFinite(ms))
      return `${instance.devices[from].id} has no link to ${instance.devices[to].id}`;
  return null;
}

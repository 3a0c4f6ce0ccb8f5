/** What a placement costs. Solvers search by their own arithmetic; this is the one that a plan reports. */
import { kindOf, memoryBytesOf, transferMs, type Instance } from './instance.ts';
import { formatBytes } from './words.ts';

/** Rows `first` … `last` on `instance.devices[device]`. */
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

/** Sum of all row times, and of the transfers between stages and back to the source. Infinite where a link is missing. */
export function latencyCost(instance: Instance, placement: Placement): Cost {
  let computeMs = 0;
  let linkMs = 0;
  for (const stage of placement) computeMs += stageMs(instance, stage);
  for (const hop of hopsOf(instance, placement)) linkMs += hop.ms;
  return { computeMs, linkMs };
}

/** The busiest device's row times, and the slowest transfer. */
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
  const { rowMs } = kindOf(instance, device);
  let ms = 0;
  for (let row = first; row <= last; row++) ms += rowMs[row];
  return ms;
}

export interface Hop {
  from: number;
  to: number;
  /** The row whose output crosses. */
  afterRow: number;
  ms: number;
}

/** Every transfer of one lap in order, the return to the source included. */
export function hopsOf(instance: Instance, placement: Placement): Hop[] {
  const hops: Hop[] = [];
  for (const [index, { device: from, last: afterRow }] of placement.entries()) {
    const to = index + 1 < placement.length ? placement[index + 1].device : instance.source;
    if (from === to) continue;
    const ms = transferMs(
      instance,
      afterRow,
      instance.devices[from].kind,
      instance.devices[to].kind,
    );
    hops.push({ from, to, afterRow, ms });
  }
  return hops;
}

/** Weights that devices would have to load for this placement which they do not hold yet. */
export function loadBytesOf(instance: Instance, placement: Placement): number {
  let bytes = 0;
  for (const { device, first, last } of placement) {
    const { loaded } = kindOf(instance, device);
    for (let row = first; row <= last; row++)
      if (loaded[row] !== 1) bytes += instance.rowWeightBytes[row];
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

/** A placement from one device a row. */
export function placementOfRows(deviceOfRow: readonly number[]): Placement {
  return mergeStages(deviceOfRow.map((device, row) => ({ device, first: row, last: row })));
}

/** Why a placement cannot run, in one clause; null when it can. */
export function findViolation(instance: Instance, placement: Placement): string | null {
  const rowsOf = new Map<number, number[]>();
  let next = 0;
  for (const { device, first, last } of placement) {
    if (first !== next || last < first) return `rows ${next} to ${first} are not in order`;
    next = last + 1;
    const rows = rowsOf.get(device) ?? [];
    for (let row = first; row <= last; row++) {
      const pinned = row < instance.pinFirst || row >= instance.pinLastFrom;
      if (pinned && device !== instance.source) return `row ${row} must stay on the source`;
      rows.push(row);
    }
    rowsOf.set(device, rows);
  }
  if (next !== instance.rowCount) return `rows from ${next} on are on no device`;
  for (const [device, rows] of rowsOf) {
    const hasBytes = kindOf(instance, device).memoryBytes;
    const needsBytes = memoryBytesOf(instance, rows);
    if (needsBytes > hasBytes)
      return `${instance.devices[device].id} would need ${formatBytes(needsBytes)} and has ${formatBytes(hasBytes)}`;
  }
  for (const { from, to, ms } of hopsOf(instance, placement))
    if (!Number.isFinite(ms))
      return `${instance.devices[from].id} has no link to ${instance.devices[to].id}`;
  return null;
}

/**
 * Ranges dealt out in device order, the source first, without a look at the links: `even` in equal shares, and
 * `proportional` by speed and as memory allows, as room software commonly deals them.
 */
import { findViolation, mergeStages, type Placement } from '../evaluate.ts';
import { kindOf, memoryBytesOf, type Instance } from '../instance.ts';
import type { Outcome } from '../outcome.ts';

export function even(instance: Instance): Outcome {
  const order = deviceOrder(instance).slice(0, instance.rowCount);
  const shareOf = (position: number) =>
    Math.floor((instance.rowCount * (position + 1)) / order.length) -
    Math.floor((instance.rowCount * position) / order.length);
  return deal(instance, order, 'even', (position, _, left) =>
    position === order.length - 1 ? left : shareOf(position),
  );
}

export function proportional(instance: Instance): Outcome {
  const order = deviceOrder(instance);
  const speeds = order.map((device) => {
    const totalMs = kindOf(instance, device).rowMs.reduce((sum, ms) => sum + ms, 0);
    return 1 / Math.max(1e-9, totalMs);
  });
  return deal(instance, order, 'proportional', (position, first, left) => {
    const speedLeft = speeds.slice(position).reduce((sum, speed) => sum + speed, 0);
    const share = Math.round((left * speeds[position]) / speedLeft);
    return fittingRows(instance, order[position], first, share);
  });
}

/** Gives each device in turn as many of the rows left as `shareOf` says; the source never less than its pinned rows. */
function deal(
  instance: Instance,
  order: number[],
  name: string,
  shareOf: (position: number, first: number, left: number) => number,
): Outcome {
  const { source, pinFirst, pinLastFrom, rowCount } = instance;
  const placement: Placement = [];
  let first = 0;
  for (const [position, device] of order.entries()) {
    const left = pinLastFrom - first;
    const least = device === source ? pinFirst : 0;
    const share = Math.min(left, Math.max(least, shareOf(position, first, left)));
    if (share > 0) placement.push({ device, first, last: first + share - 1 });
    first += share;
  }
  if (first < pinLastFrom)
    return {
      found: false,
      proven: false,
      reason: `the ${name} split leaves ${pinLastFrom - first} rows for which no device in turn has memory`,
    };
  if (pinLastFrom < rowCount)
    placement.push({ device: source, first: pinLastFrom, last: rowCount - 1 });
  const merged = mergeStages(placement);
  const violation = findViolation(instance, merged);
  return violation === null
    ? { found: true, placement: merged }
    : { found: false, proven: false, reason: `the ${name} split does not work: ${violation}` };
}

function deviceOrder({ devices, source }: Instance): number[] {
  return [source, ...devices.map((_, device) => device).filter((device) => device !== source)];
}

/** How many rows from `first` on, at most `share`, the device has memory for beside what is pinned to it. */
function fittingRows(instance: Instance, device: number, first: number, share: number): number {
  const { pinLastFrom, rowCount, source } = instance;
  const { memoryBytes } = kindOf(instance, device);
  const rows: number[] = [];
  if (device === source) for (let row = pinLastFrom; row < rowCount; row++) rows.push(row);
  for (let count = 0; count < share; count++) {
    rows.push(first + count);
    if (memoryBytesOf(instance, rows) > memoryBytes) return count;
  }
  return share;
}

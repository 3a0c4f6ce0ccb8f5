/** The best ranges for a given order of devices under the throughput objective. */
import { mergeStages, type Placement } from '../../evaluate.ts';
import { kindOf, transferMs, type Instance } from '../../instance.ts';
import type { Tables } from '../general/tables.ts';

/** Least bottleneck with each device of `order` holding one range, in that order; null where they cannot hold all rows. */
export function bottleneckOfOrder(
  instance: Instance,
  { bytesBefore, msBefore, rowCount }: Tables,
  order: readonly number[],
): Placement | null {
  const { pinFirst, pinLastFrom, source } = instance;
  const end = pinLastFrom;
  const best = order.map(() => new Float64Array(end + 1).fill(Infinity));
  const startOf = order.map(() => new Int32Array(end + 1));
  for (const [place, device] of order.entries()) {
    const { rowMs, memoryBytes } = kindOf(instance, device);
    const base = instance.devices[device].kind * (rowCount + 1);
    const isSource = device === source;
    const heldMs = isSource ? msBefore[base + rowCount] - msBefore[base + end] : 0;
    const heldBytes = isSource ? bytesBefore[rowCount] - bytesBefore[end] : 0;
    for (let first = 0; first < end; first++) {
      if (first < pinFirst && device !== source) continue;
      const arrivalMs = arrival(place, first);
      if (arrivalMs === Infinity) continue;
      let busyMs = heldMs;
      for (let row = first; row < end; row++) {
        busyMs += rowMs[row];
        if (heldBytes + bytesBefore[row + 1] - bytesBefore[first] > memoryBytes) break;
        const ms = Math.max(arrivalMs, busyMs);
        if (ms >= best[place][row + 1]) continue;
        best[place][row + 1] = ms;
        startOf[place][row + 1] = first;
      }
    }
  }
  const last = order.length - 1;
  if (best[last][end] + homeMs(order[last]) === Infinity) return null;

  const placement: Placement = [];
  if (end < rowCount) placement.push({ device: source, first: end, last: rowCount - 1 });
  let row = end;
  for (let place = last; place >= 0; place--) {
    const first = startOf[place][row];
    placement.unshift({ device: order[place], first, last: row - 1 });
    row = first;
  }
  return mergeStages(placement);

  function arrival(place: number, first: number): number {
    if (place === 0) return first === 0 ? 0 : Infinity;
    if (first === 0) return Infinity;
    const from = instance.devices[order[place - 1]].kind;
    const to = instance.devices[order[place]].kind;
    return Math.max(best[place - 1][first], transferMs(instance, first - 1, from, to));
  }

  function homeMs(device: number): number {
    const { kind } = instance.devices[device];
    return device === source ? 0 : transferMs(instance, end - 1, kind, instance.sourceKind);
  }
}

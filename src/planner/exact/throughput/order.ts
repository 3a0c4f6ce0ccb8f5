/** Finds the best ranges for a given order of devices under the throughput objective. */
import { mergeStages, type Placement } from '../../evaluate.ts';
import { kindOf, transferMs, type Instance } from '../../instance.ts';
import type { Tables } from '../general/tables.ts';

/**
 * The placement with the least bottleneck in which each device of `order` has one range, in that order; null
 * if they cannot hold all layers.
 */
export function bottleneckOfOrder(
  instance: Instance,
  { bytesBefore, msBefore, layerCount }: Tables,
  order: readonly number[],
): Placement | null {
  const { pinFirst, pinLastFrom, source } = instance;
  const end = pinLastFrom;
  const best = order.map(() => new Float64Array(end + 1).fill(Infinity));
  const startOf = order.map(() => new Int32Array(end + 1));
  for (const [place, device] of order.entries()) {
    const { layerMs, memoryBytes } = kindOf(instance, device);
    const base = instance.devices[device].kind * (layerCount + 1);
    const isSource = device === source;
    const heldMs = isSource ? msBefore[base + layerCount] - msBefore[base + end] : 0;
    const heldBytes = isSource ? bytesBefore[layerCount] - bytesBefore[end] : 0;
    for (let first = 0; first < end; first++) {
      if (first < pinFirst && device !== source) continue;
      const arrivalMs = arrival(place, first);
      if (arrivalMs === Infinity) continue;
      let busyMs = heldMs;
      for (let layer = first; layer < end; layer++) {
        busyMs += layerMs[layer];
        if (heldBytes + bytesBefore[layer + 1] - bytesBefore[first] > memoryBytes) break;
        const ms = Math.max(arrivalMs, busyMs);
        if (ms >= best[place][layer + 1]) continue;
        best[place][layer + 1] = ms;
        startOf[place][layer + 1] = first;
      }
    }
  }
  const last = order.length - 1;
  if (best[last][end] + homeMs(order[last]) === Infinity) return null;

  const placement: Placement = [];
  if (end < layerCount) placement.push({ device: source, first: end, last: layerCount - 1 });
  let layer = end;
  for (let place = last; place >= 0; place--) {
    const first = startOf[place][layer];
    placement.unshift({ device: order[place], first, last: layer - 1 });
    layer = first;
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

/** Finds the best ranges for a given order of devices: a shortest path over (place in the order, layers placed). */
import type { Placement } from '../../evaluate.ts';
import type { Instance } from '../../instance.ts';
import type { Tables } from './tables.ts';

export interface Cuts {
  /** Infinite if the order cannot hold all layers. */
  ms: number;
  /** The most layers that the order can hold. */
  layersHeld: number;
  placement: Placement;
}

/**
 * @param order devices, each once; the source first if layers are pinned to it
 * @param tail the number of layers at the end that return to the source, at least its pinned last layers
 */
export function cutOrder(
  instance: Instance,
  tables: Tables,
  order: readonly number[],
  tail: number,
): Cuts {
  const { layerCount, kindCount, msBefore, bytesBefore, hopMs, homeMs } = tables;
  const width = layerCount + 1;
  const end = layerCount - tail;
  const tailBytes = bytesBefore[layerCount] - bytesBefore[end];
  const kindOf = (device: number) => instance.devices[device].kind;
  const best = order.map(() => new Float64Array(end + 1).fill(Infinity));
  const startOf = order.map(() => new Int32Array(end + 1));
  let layersHeld = 0;

  for (const [place, device] of order.entries()) {
    const kind = kindOf(device);
    const holdsTail = device === instance.source ? tailBytes : 0;
    const capacity = instance.kinds[kind].memoryBytes - holdsTail;
    const least = device === instance.source ? instance.pinFirst : 1;
    for (let first = 0; first < end; first++) {
      const arrivalMs = arrival(place, kind, first);
      if (arrivalMs === Infinity || (first < instance.pinFirst && device !== instance.source))
        continue;
      for (let layer = first; layer < end; layer++) {
        if (bytesBefore[layer + 1] - bytesBefore[first] > capacity) break;
        if (layer + 1 - first < least) continue;
        const ms = arrivalMs + msBefore[kind * width + layer + 1] - msBefore[kind * width + first];
        if (layer + 1 > layersHeld) layersHeld = layer + 1;
        if (ms >= best[place][layer + 1]) continue;
        best[place][layer + 1] = ms;
        startOf[place][layer + 1] = first;
      }
    }
  }

  const last = order.length - 1;
  const lastKind = kindOf(order[last]);
  const homeKind = instance.sourceKind;
  const returnMs =
    tail === 0
      ? homeMs[lastKind]
      : lastKind === homeKind
        ? 0
        : hopMs[((end - 1) * kindCount + lastKind) * kindCount + homeKind];
  const tailMs = msBefore[homeKind * width + layerCount] - msBefore[homeKind * width + end];
  const ms = best[last][end] + returnMs + tailMs;
  return { ms, layersHeld, placement: Number.isFinite(ms) ? retrace() : [] };

  function arrival(place: number, kind: number, first: number): number {
    if (place === 0) return first === 0 ? 0 : Infinity;
    if (first === 0) return Infinity;
    const from = kindOf(order[place - 1]);
    return best[place - 1][first] + hopMs[((first - 1) * kindCount + from) * kindCount + kind];
  }

  function retrace(): Placement {
    const placement: Placement = [];
    if (tail > 0) placement.push({ device: instance.source, first: end, last: layerCount - 1 });
    let layer = end;
    for (let place = last; place >= 0; place--) {
      const first = startOf[place][layer];
      placement.unshift({ device: order[place], first, last: layer - 1 });
      layer = first;
    }
    return placement;
  }
}

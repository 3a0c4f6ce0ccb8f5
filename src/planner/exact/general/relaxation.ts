/**
 * A lower bound on every plan, and on the rest of every partial plan.
 *
 * It is a Lagrangian relaxation of the memory limits: a byte used on a kind costs `price` ms, and all bytes
 * that the kind has are paid back. The rest is a shortest path over (layer, kind). Each single visit still
 * respects the memory of one device, so transfers are not underestimated. Prices come from subgradient steps.
 */
import type { Instance } from '../../instance.ts';
import type { Tables } from './tables.ts';

export interface Relaxation {
  /** Ms a byte, for each kind. */
  price: Float64Array;
  /** No plan costs less. */
  boundMs: number;
  /** The price of all memory, which is subtracted from priced costs. */
  paidBackMs: number;
  /** Priced ms from the start of a visit at a layer on a kind to the end, at [layer * kindCount + kind]. */
  visitMs: Float64Array;
  /** The same from just after a layer on a kind, if the visit ends there. */
  leaveMs: Float64Array;
  /** The same from just after a layer on a kind, whether the visit ends or not. */
  afterMs: Float64Array;
}

export interface RelaxationOptions {
  steps: number;
  /** The cost of a known plan, which scales the steps. */
  bestMs: () => number;
  stop: () => boolean;
}

/** The relaxation with the best prices found. */
export function relax(
  instance: Instance,
  tables: Tables,
  { steps, bestMs, stop }: RelaxationOptions,
): Relaxation {
  const { kinds } = instance;
  const roomBytes = Float64Array.from(
    kinds,
    ({ members }, kind) => tables.usableBytes[kind] * members.length,
  );
  let price: Float64Array = new Float64Array(kinds.length);
  let best = solvePriced(tables, price, roomBytes);
  let scale = 1;
  let sinceBetter = 0;
  for (let step = 0; step < steps && !stop(); step++) {
    const current = step === 0 ? best : solvePriced(tables, price, roomBytes);
    if (current.boundMs > best.boundMs) [best, sinceBetter] = [current, 0];
    else if (++sinceBetter >= 12) [scale, sinceBetter, price] = [scale / 2, 0, best.price];
    if (best.boundMs >= bestMs() || best.boundMs === Infinity || scale < 1e-3) break;

    const over = bytesUsed(instance, tables, current).map((used, kind) => used - roomBytes[kind]);
    const squared = over.reduce(
      (sum, bytes, kind) => sum + (bytes > 0 || price[kind] > 0 ? bytes * bytes : 0),
      0,
    );
    if (squared === 0) break;
    const goalMs = Number.isFinite(bestMs()) ? bestMs() : best.boundMs * 1.3 + 1;
    const stride = (scale * Math.max(goalMs - current.boundMs, goalMs * 1e-3)) / squared;
    price = price.map((ms, kind) => Math.max(0, ms + stride * over[kind]));
  }
  return best;
}

function solvePriced(tables: Tables, price: Float64Array, roomBytes: Float64Array): Relaxation {
  const { layerCount, kindCount, msBefore, bytesBefore, reach, hopMs, homeMs } = tables;
  const visitMs = new Float64Array((layerCount + 1) * kindCount).fill(Infinity);
  const leaveMs = new Float64Array(layerCount * kindCount).fill(Infinity);
  const afterMs = new Float64Array(layerCount * kindCount).fill(Infinity);
  const width = layerCount + 1;
  for (let layer = layerCount - 1; layer >= 0; layer--)
    for (let kind = 0; kind < kindCount; kind++) {
      let least = layer === layerCount - 1 ? homeMs[kind] : Infinity;
      for (let to = 0; to < kindCount && layer < layerCount - 1; to++) {
        const onwardMs =
          hopMs[(layer * kindCount + kind) * kindCount + to] +
          visitMs[(layer + 1) * kindCount + to];
        if (onwardMs < least) least = onwardMs;
      }
      leaveMs[layer * kindCount + kind] = least;
      const stayMs = layer < layerCount - 1 ? stayCost(layer + 1, kind, leaveMs) : Infinity;
      afterMs[layer * kindCount + kind] = Math.min(least, stayMs);
      visitMs[layer * kindCount + kind] = stayCost(layer, kind, leaveMs);
    }

  let startMs = Infinity;
  for (let kind = 0; kind < kindCount; kind++) startMs = Math.min(startMs, visitMs[kind]);
  const paidBackMs = price.reduce((sum, ms, kind) => sum + ms * roomBytes[kind], 0);
  return {
    price: price.slice(),
    boundMs: startMs - paidBackMs,
    paidBackMs,
    visitMs,
    leaveMs,
    afterMs,
  };

  /** The least priced ms of a visit that starts at `first`, over all its possible last layers. */
  function stayCost(first: number, kind: number, leave: Float64Array): number {
    const end = reach[kind * layerCount + first];
    const base = kind * width;
    let least = Infinity;
    for (let layer = first; layer < end; layer++) {
      const ms =
        msBefore[base + layer + 1] +
        price[kind] * bytesBefore[layer + 1] +
        leave[layer * kindCount + kind];
      if (ms < least) least = ms;
    }
    return least - msBefore[base + first] - price[kind] * bytesBefore[first];
  }
}

/** Bytes that the cheapest priced path uses on each kind. */
function bytesUsed(instance: Instance, tables: Tables, priced: Relaxation): Float64Array {
  const { layerCount, kindCount, msBefore, bytesBefore, reach, hopMs } = tables;
  const { visitMs, leaveMs, price } = priced;
  const used = new Float64Array(kindCount);
  const kinds = instance.kinds.map((_, kind) => kind);
  let kind = kinds.reduce((best, each) => (visitMs[each] < visitMs[best] ? each : best), 0);
  let layer = 0;
  while (layer < layerCount) {
    let endsAt = layer;
    let least = Infinity;
    for (let last = layer; last < reach[kind * layerCount + layer]; last++) {
      const ms =
        msBefore[kind * (layerCount + 1) + last + 1] +
        price[kind] * bytesBefore[last + 1] +
        leaveMs[last * kindCount + kind];
      if (ms < least) [least, endsAt] = [ms, last];
    }
    used[kind] += bytesBefore[endsAt + 1] - bytesBefore[layer];
    layer = endsAt + 1;
    if (layer >= layerCount) break;
    const onwardMs = (to: number) =>
      hopMs[(endsAt * kindCount + kind) * kindCount + to] + visitMs[layer * kindCount + to];
    kind = kinds.reduce((best, each) => (onwardMs(each) < onwardMs(best) ? each : best), kinds[0]);
  }
  return used;
}

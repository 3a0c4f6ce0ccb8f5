/**
 * The paper's throughput programme (EdgeShard, section IV-C), kept as published:
 * `g(m', S∪{c}, c) = min over m < m', k ∈ S, c ∉ S of max{ g(m, S, k), comm(m, k→c), t(m+1..m' on c) }`,
 * where `g(m, S, k)` is the least bottleneck of the first `m` layers on the devices `S`, the last of them on `k`.
 *
 * O(N²·2^M·M²): a programme for a handful of devices. The source starts with its first range and, with pinned last layers,
 * closes the lap; those times add up.
 */
import type { Placement } from '../evaluate.ts';
import { mergeStages } from '../evaluate.ts';
import { kindOf, memoryBytesOf, transferMs, type Instance } from '../instance.ts';
import type { Outcome } from '../outcome.ts';

/** With more devices, the 2^M rows of the table take minutes to fill. */
const mostDevices = 13;

interface Table {
  others: number[];
  /** The least bottleneck, at [(set * others + last) * (layers + 1) + layers placed]. */
  ms: Float64Array;
  /** The state before it: `(last before + 1) * (layers + 1) + layers placed before`; device 0 is the source. */
  before: Int32Array;
}

export function edgeshardThroughput(instance: Instance): Outcome {
  const others = instance.devices
    .map((_, device) => device)
    .filter((device) => device !== instance.source);
  if (others.length >= mostDevices)
    return {
      found: false,
      proven: false,
      reason: `the published throughput programme would fill a table of 2^${others.length} device sets; it takes at most ${mostDevices} devices, and the exact method more`,
    };
  const sourceMs = sourceRangeMs(instance);
  const table = fillTable(instance, others, sourceMs);
  const best = bestEnd(instance, table, sourceMs);
  return best === null
    ? {
        found: false,
        proven: true,
        reason: 'no sequence of single ranges fits the devices’ memory and links',
      }
    : { found: true, placement: best };
}

/** The bottleneck with the first `m` layers, and the pinned last ones, on the source; infinite if they do not fit. */
function sourceRangeMs(instance: Instance): Float64Array {
  const { layerCount, pinFirst, pinLastFrom, source } = instance;
  const { layerMs, memoryBytes } = kindOf(instance, source);
  const pinnedLast = layerNumbers(pinLastFrom, layerCount);
  const closingMs = pinnedLast.reduce((sum, layer) => sum + layerMs[layer], 0);
  return Float64Array.from({ length: pinLastFrom + 1 }, (_, placed) => {
    const layers = layerNumbers(0, placed);
    const fits = memoryBytesOf(instance, [...layers, ...pinnedLast]) <= memoryBytes;
    if (!fits || placed < Math.max(1, pinFirst)) return Infinity;
    return layers.reduce((sum, layer) => sum + layerMs[layer], closingMs);
  });
}

function fillTable(instance: Instance, others: number[], sourceMs: Float64Array): Table {
  const width = instance.layerCount + 1;
  const count = others.length;
  const table: Table = {
    others,
    ms: new Float64Array((1 << count) * count * width).fill(Infinity),
    before: new Int32Array((1 << count) * count * width),
  };
  const ranges = others.map((device) => rangeMs(instance, device));
  for (let set = 0; set < 1 << count; set++)
    for (let next = 0; next < count; next++) {
      if ((set >> next) & 1) continue;
      const target = ((set | (1 << next)) * count + next) * width;
      for (let last = -1; last < count; last++) {
        const fromSource = last < 0 && set === 0;
        if (!fromSource && (last < 0 || !((set >> last) & 1))) continue;
        const from = fromSource ? instance.source : others[last];
        for (let placed = 1; placed < instance.pinLastFrom; placed++) {
          const soFarMs = fromSource
            ? sourceMs[placed]
            : table.ms[(set * count + last) * width + placed];
          if (soFarMs === Infinity) continue;
          const hopMs = transferMs(
            instance,
            placed - 1,
            instance.devices[from].kind,
            instance.devices[others[next]].kind,
          );
          const leastMs = Math.max(soFarMs, hopMs);
          const layersMs = ranges[next][placed];
          for (let more = 0; more < layersMs.length; more++) {
            const at = target + placed + more + 1;
            const ms = Math.max(leastMs, layersMs[more]);
            if (ms >= table.ms[at]) continue;
            table.ms[at] = ms;
            table.before[at] = (last + 1) * width + placed;
          }
        }
      }
    }
  return table;
}

/** For each first layer, the times of ranges of 1, 2, 3 … layers from there that fit on the device. */
function rangeMs(instance: Instance, device: number): number[][] {
  const { layerMs, memoryBytes } = kindOf(instance, device);
  return layerNumbers(0, instance.pinLastFrom).map((first) => {
    const times: number[] = [];
    let ms = 0;
    for (let layer = first; layer < instance.pinLastFrom; layer++) {
      if (memoryBytesOf(instance, layerNumbers(first, layer + 1)) > memoryBytes) break;
      ms += layerMs[layer];
      times.push(ms);
    }
    return times;
  });
}

function bestEnd(instance: Instance, table: Table, sourceMs: Float64Array): Placement | null {
  const { layerCount, pinLastFrom, source } = instance;
  const width = layerCount + 1;
  const count = table.others.length;
  let bestMs = sourceMs[pinLastFrom];
  let best = { set: 0, last: -1 };
  for (let set = 1; set < 1 << count; set++)
    for (let last = 0; last < count; last++) {
      const soFarMs = table.ms[(set * count + last) * width + pinLastFrom];
      if (soFarMs >= bestMs) continue;
      const kind = instance.devices[table.others[last]].kind;
      const ms = Math.max(
        soFarMs,
        transferMs(instance, pinLastFrom - 1, kind, instance.sourceKind),
      );
      if (ms < bestMs) [bestMs, best] = [ms, { set, last }];
    }
  if (!Number.isFinite(bestMs)) return null;

  const placement: Placement = [];
  if (pinLastFrom < layerCount)
    placement.push({ device: source, first: pinLastFrom, last: layerCount - 1 });
  let { set, last } = best;
  let placed = pinLastFrom;
  while (last >= 0) {
    const before = table.before[(set * count + last) * width + placed];
    const placedBefore = before % width;
    placement.unshift({ device: table.others[last], first: placedBefore, last: placed - 1 });
    set &= ~(1 << last);
    last = Math.floor(before / width) - 1;
    placed = placedBefore;
  }
  if (placed > 0) placement.unshift({ device: source, first: 0, last: placed - 1 });
  return mergeStages(placement);
}

function layerNumbers(from: number, end: number): number[] {
  return Array.from({ length: end - from }, (_, index) => from + index);
}

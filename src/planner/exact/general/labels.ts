/**
 * Label setting, layer by layer. A label is one placement of the layers so far and the memory it used. It is
 * dropped if another on the same device costs no more and has used no more memory anywhere, or if the
 * relaxation shows that it cannot beat the best plan known. Keeping all others proves the optimum. Keeping
 * only the most promising finds good plans fast, and the dropped ones still give a bound.
 */
import { placementOfLayers } from '../../evaluate.ts';
import type { Instance } from '../../instance.ts';
import type { Incumbent } from '../search.ts';
import type { Relaxation } from './relaxation.ts';
import type { Tables } from './tables.ts';

interface Label {
  ms: number;
  /** No plan that begins with this placement costs less. */
  leastMs: number;
  device: number;
  usedBytes: Float64Array;
  /** The devices of layers with shared memory: only labels with the same ones are compared. */
  tied: string;
  before: Label | null;
}

/** More comparisons cost more than they save: later ones rarely succeed. */
const mostComparisons = 128;

/** @returns a bound on every plan that was not offered to `incumbent` */
export function searchLabels(
  instance: Instance,
  tables: Tables,
  relaxation: Relaxation,
  incumbent: Incumbent,
  width: number,
): number {
  const { layerCount, devices, kinds, source, pinFirst, pinLastFrom } = instance;
  const { kindCount, hopMs } = tables;
  const { price, afterMs, paidBackMs } = relaxation;
  const kindOf = Int32Array.from(devices, ({ kind }) => kind);
  const capacity = Float64Array.from(devices, ({ kind }) => kinds[kind].memoryBytes);
  const tiedLayer = new Map(
    instance.shared.flatMap(({ layers }, group) => layers.map((layer) => [layer, group])),
  );
  let droppedMs = Infinity;

  const empty: Label = {
    ms: 0,
    leastMs: 0,
    device: -1,
    usedBytes: new Float64Array(devices.length),
    tied: '',
    before: null,
  };
  let labels: Label[] = [empty];
  for (let layer = 0; layer < layerCount; layer++) {
    const candidates: Label[] = [];
    for (const label of labels) {
      if (incumbent.deadline.passed()) {
        droppedMs = Math.min(droppedMs, label.leastMs);
        continue;
      }
      for (const device of nextDevices(label, layer)) {
        const next = extend(label, layer, device);
        if (next !== null) candidates.push(next);
      }
    }
    labels = keepBest(candidates);
  }
  for (const label of labels) incumbent.offer(placementOfLayers(devicesOf(label)));
  return droppedMs;

  function nextDevices(label: Label, layer: number): number[] {
    if (layer < pinFirst || layer >= pinLastFrom) return [source];
    const next: number[] = [];
    for (const { members } of kinds)
      for (const member of members) {
        next.push(member);
        if (label.usedBytes[member] === 0 && member !== label.device) break;
      }
    return next;
  }

  function extend(label: Label, layer: number, device: number): Label | null {
    const kind = kindOf[device];
    let ms = label.ms + kinds[kind].layerMs[layer];
    if (label.device >= 0 && label.device !== device)
      ms += hopMs[((layer - 1) * kindCount + kindOf[label.device]) * kindCount + kind];
    if (ms === Infinity) return null;
    const bytes = addedBytes(label, layer, device);
    if (label.usedBytes[device] + bytes > capacity[device]) return null;
    const usedBytes = label.usedBytes.slice();
    usedBytes[device] += bytes;
    let paidMs = 0;
    for (let each = 0; each < usedBytes.length; each++)
      paidMs += usedBytes[each] * price[kindOf[each]];
    const leastMs = ms + afterMs[layer * kindCount + kind] + paidMs - paidBackMs;
    if (leastMs >= incumbent.ms()) return null;
    return {
      ms,
      leastMs: Math.max(leastMs, label.leastMs),
      device,
      usedBytes,
      tied: tiedLayer.has(layer) ? `${label.tied} ${device}` : label.tied,
      before: label.device < 0 ? null : label,
    };
  }

  /** The memory that the layer adds to the device; memory that it shares with a layer there is not added again. */
  function addedBytes(label: Label, layer: number, device: number): number {
    const group = tiedLayer.get(layer);
    const bytes = instance.layerMemoryBytes[layer];
    if (group === undefined) return bytes;
    const { layers, memoryBytes } = instance.shared[group];
    const placed = devicesOf(label);
    return layers.some((other) => other < layer && placed[other] === device)
      ? bytes - memoryBytes
      : bytes;
  }

  function keepBest(candidates: Label[]): Label[] {
    candidates.sort((a, b) => a.ms - b.ms);
    const byDevice = new Map<number, Label[]>();
    const kept: Label[] = [];
    for (const label of candidates) {
      const rivals = byDevice.get(label.device) ?? [];
      const compared = incumbent.deadline.passed() ? 0 : mostComparisons;
      if (rivals.slice(0, compared).some((rival) => dominates(rival, label))) continue;
      rivals.push(label);
      byDevice.set(label.device, rivals);
      kept.push(label);
    }
    if (kept.length <= width) return kept;
    kept.sort((a, b) => a.leastMs - b.leastMs);
    droppedMs = Math.min(droppedMs, kept[width].leastMs);
    return kept.slice(0, width);
  }
}

/** `rival` costs no more than `label`. */
function dominates(rival: Label, label: Label): boolean {
  if (rival.tied !== label.tied) return false;
  for (let device = 0; device < label.usedBytes.length; device++)
    if (rival.usedBytes[device] > label.usedBytes[device]) return false;
  return true;
}

function devicesOf(last: Label): number[] {
  const devices: number[] = [];
  for (let label: Label | null = last; label !== null && label.device >= 0; label = label.before)
    devices.push(label.device);
  return devices.reverse();
}

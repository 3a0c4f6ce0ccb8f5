/**
 * Label setting, row by row: every label is one way to place the rows so far, and what its devices have left. A label is dropped
 * when another on the same device is no dearer and has used no more memory anywhere, or when
 * even the relaxation cannot complete it below the best plan known. Keeping all that is left proves the optimum; keeping only the most
 * promising finds good plans fast, and what was let go still bounds what was missed.
 */
import { placementOfRows } from '../../evaluate.ts';
import type { Instance } from '../../instance.ts';
import type { Incumbent } from '../search.ts';
import type { Relaxation } from './relaxation.ts';
import type { Tables } from './tables.ts';

interface Label {
  ms: number;
  /** No plan that begins like this costs less. */
  leastMs: number;
  device: number;
  usedBytes: Float64Array;
  /** For rows of shared memory placed so far: who holds which, so that only like is compared with like. */
  tied: string;
  before: Label | null;
}

/** Comparisons with dearer labels rarely succeed; beyond this many they cost more than they save. */
const mostComparisons = 128;

/** @returns what no plan can cost less than, beside those offered to `incumbent` */
export function searchLabels(
  instance: Instance,
  tables: Tables,
  relaxation: Relaxation,
  incumbent: Incumbent,
  width: number,
): number {
  const { rowCount, devices, kinds, source, pinFirst, pinLastFrom } = instance;
  const { kindCount, hopMs } = tables;
  const { price, afterMs, paidBackMs } = relaxation;
  const kindOf = Int32Array.from(devices, ({ kind }) => kind);
  const capacity = Float64Array.from(devices, ({ kind }) => kinds[kind].memoryBytes);
  const tiedRow = new Map(
    instance.shared.flatMap(({ rows }, group) => rows.map((row) => [row, group])),
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
  for (let row = 0; row < rowCount; row++) {
    const candidates: Label[] = [];
    for (const label of labels) {
      if (incumbent.deadline.passed()) {
        droppedMs = Math.min(droppedMs, label.leastMs);
        continue;
      }
      for (const device of nextDevices(label, row)) {
        const next = extend(label, row, device);
        if (next !== null) candidates.push(next);
      }
    }
    labels = keepBest(candidates);
  }
  for (const label of labels) incumbent.offer(placementOfRows(devicesOf(label)));
  return droppedMs;

  function nextDevices(label: Label, row: number): number[] {
    if (row < pinFirst || row >= pinLastFrom) return [source];
    const next: number[] = [];
    for (const { members } of kinds)
      for (const member of members) {
        next.push(member);
        if (label.usedBytes[member] === 0 && member !== label.device) break;
      }
    return next;
  }

  function extend(label: Label, row: number, device: number): Label | null {
    const kind = kindOf[device];
    let ms = label.ms + kinds[kind].rowMs[row];
    if (label.device >= 0 && label.device !== device)
      ms += hopMs[((row - 1) * kindCount + kindOf[label.device]) * kindCount + kind];
    if (ms === Infinity) return null;
    const bytes = addedBytes(label, row, device);
    if (label.usedBytes[device] + bytes > capacity[device]) return null;
    const usedBytes = label.usedBytes.slice();
    usedBytes[device] += bytes;
    let paidMs = 0;
    for (let each = 0; each < usedBytes.length; each++)
      paidMs += usedBytes[each] * price[kindOf[each]];
    const leastMs = ms + afterMs[row * kindCount + kind] + paidMs - paidBackMs;
    if (leastMs >= incumbent.ms()) return null;
    return {
      ms,
      leastMs: Math.max(leastMs, label.leastMs),
      device,
      usedBytes,
      tied: tiedRow.has(row) ? `${label.tied} ${device}` : label.tied,
      before: label.device < 0 ? null : label,
    };
  }

  /** Memory that the row adds to the device, what it shares with a row there counted once. */
  function addedBytes(label: Label, row: number, device: number): number {
    const group = tiedRow.get(row);
    const bytes = instance.rowMemoryBytes[row];
    if (group === undefined) return bytes;
    const { rows, memoryBytes } = instance.shared[group];
    const placed = devicesOf(label);
    return rows.some((other) => other < row && placed[other] === device)
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

/** `rival` is known to be no dearer. */
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

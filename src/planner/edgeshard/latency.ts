/**
 * The paper's latency programme (EdgeShard, section IV-B), kept as published:
 * `DP(i,j) = min_k DP(i-1,k) + t(i,j) + comm(i-1,k,j)`, the first row on the source, the last row adding its return.
 *
 * Each state remembers the memory that its own cheapest path left on every device, and a full device is refused. That
 * state is too small once memory binds: a cheaper path may have used up memory that a later row needs, so the result
 * can be far from optimal, or nothing at all where a plan exists.
 *
 * O(N·M²) for N rows and M devices.
 */
import { kindOf, transferMs, type Instance } from '../instance.ts';
import { placementOfRows } from '../evaluate.ts';
import type { Outcome } from '../outcome.ts';

interface State {
  ms: number;
  /** Memory left on every device along the path that led here. */
  leftBytes: Float64Array;
  device: number;
  before: State | null;
}

export function edgeshardLatency(instance: Instance): Outcome {
  let states = firstStates(instance);
  for (let row = 1; row < instance.rowCount; row++)
    states = instance.devices.flatMap((_, device) => bestArrival(instance, states, row, device));
  const best = states.reduce<State | null>(
    (least, state) => (least === null || state.ms < least.ms ? state : least),
    null,
  );
  if (best === null)
    return {
      found: false,
      proven: false,
      reason:
        'the published latency programme ran out of memory along the paths it kept; the exact method may find a plan',
    };
  return { found: true, placement: placementOfRows(devicesOf(best)) };
}

function firstStates(instance: Instance): State[] {
  const leftBytes = Float64Array.from(
    instance.devices,
    ({ kind }) => instance.kinds[kind].memoryBytes,
  );
  const start = { ms: 0, leftBytes, device: instance.source, before: null };
  return extend(instance, start, 0, instance.source);
}

function bestArrival(instance: Instance, states: State[], row: number, device: number): State[] {
  const pinned = row < instance.pinFirst || row >= instance.pinLastFrom;
  if (pinned && device !== instance.source) return [];
  const needs = instance.rowMemoryBytes[row];
  let best: State | null = null;
  let bestMs = Infinity;
  for (const state of states) {
    if (state.leftBytes[device] < needs) continue;
    const ms = state.ms + hopMs(instance, row - 1, state.device, device);
    if (ms < bestMs) [best, bestMs] = [state, ms];
  }
  return best === null ? [] : extend(instance, best, row, device);
}

/** One row further, on `device`; nothing where it does not fit or a link is missing. */
function extend(instance: Instance, from: State, row: number, device: number): State[] {
  const needs = instance.rowMemoryBytes[row];
  if (from.leftBytes[device] < needs) return [];
  let ms = from.ms + kindOf(instance, device).rowMs[row];
  if (row > 0) ms += hopMs(instance, row - 1, from.device, device);
  if (row === instance.rowCount - 1) ms += hopMs(instance, row, device, instance.source);
  if (!Number.isFinite(ms)) return [];
  const leftBytes = from.leftBytes.slice();
  leftBytes[device] -= needs;
  return [{ ms, leftBytes, device, before: row === 0 ? null : from }];
}

function hopMs(instance: Instance, row: number, from: number, to: number): number {
  if (from === to) return 0;
  return transferMs(instance, row, instance.devices[from].kind, instance.devices[to].kind);
}

function devicesOf(last: State): number[] {
  const devices: number[] = [];
  for (let state: State | null = last; state !== null; state = state.before)
    devices.unshift(state.device);
  return devices;
}

/**
 * The paper's latency programme (EdgeShard, section IV-B), kept as published: `DP(i,j) = min_k DP(i-1,k) +
 * t(i,j) + comm(i-1,k,j)`, with the first layer on the source, and the return added after the last layer.
 *
 * Each state keeps the memory that its own cheapest path left on every device; a full device is refused. Such
 * states are too few once memory is short: a cheaper path may have used memory that a later layer needs. The
 * result can then be far from optimal, or missing although a plan exists.
 *
 * O(N·M²) for N layers and M devices.
 */
import { kindOf, transferMs, type Instance } from '../instance.ts';
import { placementOfLayers } from '../evaluate.ts';
import type { Outcome } from '../outcome.ts';

interface State {
  ms: number;
  /** Memory left on every device after this path. */
  leftBytes: Float64Array;
  device: number;
  before: State | null;
}

export function edgeshardLatency(instance: Instance): Outcome {
  let states = firstStates(instance);
  for (let layer = 1; layer < instance.layerCount; layer++)
    states = instance.devices.flatMap((_, device) => bestArrival(instance, states, layer, device));
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
  return { found: true, placement: placementOfLayers(devicesOf(best)) };
}

function firstStates(instance: Instance): State[] {
  const leftBytes = Float64Array.from(
    instance.devices,
    ({ kind }) => instance.kinds[kind].memoryBytes,
  );
  const start = { ms: 0, leftBytes, device: instance.source, before: null };
  return extend(instance, start, 0, instance.source);
}

function bestArrival(instance: Instance, states: State[], layer: number, device: number): State[] {
  const pinned = layer < instance.pinFirst || layer >= instance.pinLastFrom;
  if (pinned && device !== instance.source) return [];
  const needs = instance.layerMemoryBytes[layer];
  let best: State | null = null;
  let bestMs = Infinity;
  for (const state of states) {
    if (state.leftBytes[device] < needs) continue;
    const ms = state.ms + hopMs(instance, layer - 1, state.device, device);
    if (ms < bestMs) [best, bestMs] = [state, ms];
  }
  return best === null ? [] : extend(instance, best, layer, device);
}

/** The path with one more layer, on `device`; empty if it does not fit or a link is missing. */
function extend(instance: Instance, from: State, layer: number, device: number): State[] {
  const needs = instance.layerMemoryBytes[layer];
  if (from.leftBytes[device] < needs) return [];
  let ms = from.ms + kindOf(instance, device).layerMs[layer];
  if (layer > 0) ms += hopMs(instance, layer - 1, from.device, device);
  if (layer === instance.layerCount - 1) ms += hopMs(instance, layer, device, instance.source);
  if (!Number.isFinite(ms)) return [];
  const leftBytes = from.leftBytes.slice();
  leftBytes[device] -= needs;
  return [{ ms, leftBytes, device, before: layer === 0 ? null : from }];
}

function hopMs(instance: Instance, layer: number, from: number, to: number): number {
  if (from === to) return 0;
  return transferMs(instance, layer, instance.devices[from].kind, instance.devices[to].kind);
}

function devicesOf(last: State): number[] {
  const devices: number[] = [];
  for (let state: State | null = last; state !== null; state = state.before)
    devices.unshift(state.device);
  return devices;
}

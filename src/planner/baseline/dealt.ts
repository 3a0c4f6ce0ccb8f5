/**
 * Baselines that deal ranges in device order, the source first, and ignore the links. `even` gives equal
 * shares. `proportional` goes by speed and memory, as other room software does.
 */
import { findViolation, mergeStages, type Placement } from '../evaluate.ts';
import { kindOf, memoryBytesOf, type Instance } from '../instance.ts';
import type { Outcome } from '../outcome.ts';

export function even(instance: Instance): Outcome {
  const order = deviceOrder(instance).slice(0, instance.layerCount);
  const shareOf = (position: number) =>
    Math.floor((instance.layerCount * (position + 1)) / order.length) -
    Math.floor((instance.layerCount * position) / order.length);
  return deal(instance, order, 'even', (position, _, left) =>
    position === order.length - 1 ? left : shareOf(position),
  );
}

export function proportional(instance: Instance): Outcome {
  const order = deviceOrder(instance);
  const speeds = order.map((device) => {
    const totalMs = kindOf(instance, device).layerMs.reduce((sum, ms) => sum + ms, 0);
    return 1 / Math.max(1e-9, totalMs);
  });
  return deal(instance, order, 'proportional', (position, first, left) => {
    const speedLeft = speeds.slice(position).reduce((sum, speed) => sum + speed, 0);
    const share = Math.round((left * speeds[position]) / speedLeft);
    return fittingLayers(instance, order[position], first, share);
  });
}

/**
 * Gives each device in turn as many of the remaining layers as `shareOf` says. The source gets at least its
 * pinned layers.
 */
function deal(
  instance: Instance,
  order: number[],
  name: string,
  shareOf: (position: number, first: number, left: number) => number,
): Outcome {
  const { source, pinFirst, pinLastFrom, layerCount } = instance;
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
      reason: `the ${name} split leaves ${pinLastFrom - first} layers that fit on no remaining device`,
    };
  if (pinLastFrom < layerCount)
    placement.push({ device: source, first: pinLastFrom, last: layerCount - 1 });
  const merged = mergeStages(placement);
  const violation = findViolation(instance, merged);
  return violation === null
    ? { found: true, placement: merged }
    : { found: false, proven: false, reason: `the ${name} split does not work: ${violation}` };
}

function deviceOrder({ devices, source }: Instance): number[] {
  return [source, ...devices.map((_, device) => device).filter((device) => device !== source)];
}

/** The number of layers from `first`, at most `share`, that fit in the device's memory beside those pinned to it. */
function fittingLayers(instance: Instance, device: number, first: number, share: number): number {
  const { pinLastFrom, layerCount, source } = instance;
  const { memoryBytes } = kindOf(instance, device);
  const layers: number[] = [];
  if (device === source)
    for (let layer = pinLastFrom; layer < layerCount; layer++) layers.push(layer);
  for (let count = 0; count < share; count++) {
    layers.push(first + count);
    if (memoryBytesOf(instance, layers) > memoryBytes) return count;
  }
  return share;
}

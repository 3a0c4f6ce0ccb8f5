/**
 * Baselines with one device for all layers that are not pinned: `solo` takes the source, `best-single` the
 * fastest.
 */
import { findViolation, mergeStages, type Placement } from '../evaluate.ts';
import type { Instance } from '../instance.ts';
import type { Outcome } from '../outcome.ts';

export type PlacementMs = (placement: Placement) => number;

export function solo(instance: Instance): Outcome {
  const placement = placeOn(instance, instance.source);
  const violation = findViolation(instance, placement);
  return violation === null
    ? { found: true, placement }
    : { found: false, proven: false, reason: `${violation}, so it cannot run the model alone` };
}

export function bestSingle(instance: Instance, msOf: PlacementMs): Outcome {
  const found = instance.kinds
    .map(({ members }) => placeOn(instance, members[0]))
    .filter((placement) => findViolation(instance, placement) === null)
    .map((placement) => ({ placement, ms: msOf(placement) }))
    .sort((a, b) => a.ms - b.ms)
    .at(0);
  return found === undefined
    ? {
        found: false,
        proven: false,
        reason: 'no single device can hold all layers that are not pinned',
      }
    : { found: true, placement: found.placement };
}

/** The pinned layers on the source, all others on `device`. */
function placeOn(instance: Instance, device: number): Placement {
  const { source, pinFirst, pinLastFrom, layerCount } = instance;
  return mergeStages(
    [
      { device: source, first: 0, last: pinFirst - 1 },
      { device, first: pinFirst, last: pinLastFrom - 1 },
      { device: source, first: pinLastFrom, last: layerCount - 1 },
    ].filter(({ first, last }) => first <= last),
  );
}

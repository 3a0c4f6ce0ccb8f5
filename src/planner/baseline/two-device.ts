/** The paper's Cloud-Edge-Opt: the best split between the source and one other device. */
import { findViolation, mergeStages, type Placement } from '../evaluate.ts';
import type { Instance } from '../instance.ts';
import type { Outcome } from '../outcome.ts';
import type { PlacementMs } from './single.ts';

/**
 * One range on the other device, with the source before it and, if `sourceReturns`, after it. In the
 * throughput problem only the source's pinned last layers come after.
 */
export function twoDevice(instance: Instance, msOf: PlacementMs, sourceReturns: boolean): Outcome {
  let best: { placement: Placement; ms: number } | null = null;
  for (const placement of splits(instance, sourceReturns)) {
    const ms = msOf(placement);
    if (ms >= (best?.ms ?? Infinity) || findViolation(instance, placement) !== null) continue;
    best = { placement, ms };
  }
  return best === null
    ? {
        found: false,
        proven: false,
        reason: 'no split between the source and one other device fits their memory and links',
      }
    : { found: true, placement: best.placement };
}

function* splits(instance: Instance, sourceReturns: boolean): Generator<Placement> {
  const { source, layerCount, pinFirst, pinLastFrom } = instance;
  yield [{ device: source, first: 0, last: layerCount - 1 }];
  for (const [kind, { members }] of instance.kinds.entries()) {
    const device = members[0];
    if (kind === instance.sourceKind) continue;
    for (let first = pinFirst; first < pinLastFrom; first++)
      for (let end = sourceReturns ? first + 1 : pinLastFrom; end <= pinLastFrom; end++)
        yield mergeStages(
          [
            { device: source, first: 0, last: first - 1 },
            { device, first, last: end - 1 },
            { device: source, first: end, last: layerCount - 1 },
          ].filter((stage) => stage.first <= stage.last),
        );
  }
}

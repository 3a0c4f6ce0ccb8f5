/** The exact method: its plan is proven optimal, or has a proven bound when time is up. */
import { twoDevice } from '../baseline/two-device.ts';
import { latencyCost, throughputCost, type Placement } from '../evaluate.ts';
import type { Instance } from '../instance.ts';
import type { Outcome } from '../outcome.ts';
import { startDeadline } from './deadline.ts';
import { boundByFillLevels, solveGeneral } from './general/solve.ts';
import { startIncumbent, type Incumbent } from './search.ts';
import { solveThroughput } from './throughput/solve.ts';
import { readUniformRoom } from './uniform/room.ts';
import { solveUniform } from './uniform/solve.ts';

export interface ExactOptions {
  /** Whether a plan's cost is the sum of its parts or the slowest of them. */
  combine: 'sum' | 'slowest';
  timeLimitMs: number;
  clock: () => number;
  onBetter: (placement: Placement) => void;
}

/** The share of the time limit for set programming; the rest is for another bound. */
const uniformShare = 0.75;

export function solveExactly(
  instance: Instance,
  { combine, timeLimitMs, clock, onBetter }: ExactOptions,
): Outcome {
  const msOf = (placement: Placement) => {
    const { computeMs, linkMs } = (combine === 'sum' ? latencyCost : throughputCost)(
      instance,
      placement,
    );
    return combine === 'sum' ? computeMs + linkMs : Math.max(computeMs, linkMs);
  };
  const deadline = startDeadline(timeLimitMs, clock);
  const incumbent = startIncumbent(instance, deadline, msOf, onBetter);
  const simple = twoDevice(instance, msOf, combine === 'sum');
  if (simple.found) incumbent.offer(simple.placement);

  const boundMs =
    combine === 'sum'
      ? solveLatency(instance, incumbent, timeLimitMs)
      : solveThroughput(instance, incumbent);
  const placement = incumbent.placement();
  if (placement !== null) return { found: true, placement, boundMs };
  const proven = boundMs === Infinity;
  return {
    found: false,
    proven,
    reason: proven
      ? 'no order of devices over the links that exist has memory for all layers'
      : `no plan was found within ${timeLimitMs} ms; a longer time limit may find one`,
  };
}

function solveLatency(instance: Instance, incumbent: Incumbent, timeLimitMs: number): number {
  const room = readUniformRoom(instance);
  if (room === null) return solveGeneral(instance, incumbent);
  const deadline = incumbent.deadline.within(timeLimitMs * uniformShare);
  const boundMs = solveUniform(room, { ...incumbent, deadline });
  if (boundMs >= incumbent.ms() || incumbent.ms() === Infinity) return boundMs;
  return Math.max(boundMs, boundByFillLevels(instance, incumbent));
}

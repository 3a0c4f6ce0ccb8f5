/** The exact latency method: proven optimal, or with a proven bound when time is up. */
import { twoDevice } from '../baseline/two-device.ts';
import type { Placement } from '../evaluate.ts';
import type { Instance } from '../instance.ts';
import type { Outcome } from '../outcome.ts';
import { startDeadline } from './deadline.ts';
import { solveGeneral } from './general/solve.ts';
import { latencyMs, startIncumbent } from './search.ts';
import { readUniformRoom } from './uniform/room.ts';
import { solveUniform } from './uniform/solve.ts';

export interface ExactOptions {
  timeLimitMs: number;
  onBetter: (placement: Placement) => void;
}

export function exactLatency(instance: Instance, { timeLimitMs, onBetter }: ExactOptions): Outcome {
  const msOf = (placement: Placement) => latencyMs(instance, placement);
  const incumbent = startIncumbent(instance, startDeadline(timeLimitMs), msOf, onBetter);
  const simple = twoDevice(instance, msOf, true);
  if (simple.found) incumbent.offer(simple.placement);

  const uniform = readUniformRoom(instance);
  const boundMs =
    uniform === null ? solveGeneral(instance, incumbent) : solveUniform(uniform, incumbent);
  const placement = incumbent.placement();
  if (placement !== null) return { found: true, placement, boundMs };
  const proven = boundMs === Infinity;
  return {
    found: false,
    proven,
    reason: proven
      ? 'no order of devices over the links that exist has memory for all rows'
      : `no plan was found within ${timeLimitMs} ms; a longer time limit may find one`,
  };
}

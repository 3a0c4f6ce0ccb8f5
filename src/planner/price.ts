import type { Stage } from './plan.ts';
import { ProblemError, type Problem } from './problem.ts';
import { costOf, instanceOf, totalMs, type SolveOptions } from './solve.ts';

/**
 * The cost of given stages under the objective, in ms; infinite if a link is missing.
 *
 * @throws {ProblemError} if a stage names a device that the problem does not have
 */
export function priceStages(
  problem: Problem,
  stages: readonly Stage[],
  options: SolveOptions = {},
): number {
  const objective = options.objective ?? 'latency';
  const instance = instanceOf(problem, options);
  const placement = stages.map(({ device, first, last }) => {
    const index = instance.devices.findIndex(({ id }) => id === device);
    if (index === -1) throw new ProblemError(`the stages name ${device}, which is not a device`);
    return { device: index, first, last };
  });
  return totalMs(objective, costOf(instance, objective, placement));
}

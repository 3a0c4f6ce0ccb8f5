/** Why a plan is as it is. The planner explains it in a worker of its own, so that planning never waits for it. */
import { priceStages, startPlanner } from '../../../../planner/index.ts';
import type { Stage } from '../../../lap.ts';
import type { PlanReasons } from '../../../view.ts';
import { roomProblem, type RoomPlanInput } from './room-problem.ts';

/** Rejects if the planner fails. */
export async function planReasons(
  input: RoomPlanInput,
  stages: readonly Stage[],
): Promise<PlanReasons> {
  const problem = roomProblem(input);
  const ms = priceStages(problem, [...stages]);
  const planner = startPlanner();
  try {
    return await planner.explain(problem, { objective: 'latency', ms, stages: [...stages] });
  } finally {
    planner.dispose();
  }
}

/** Why a plan is as it is, by the planner, in a worker of its own: a question never holds up the planning. */
import { priceStages, startPlanner } from '../../../planner/index.ts';
import type { Stage } from '../../lap.ts';
import type { PlanReasons } from '../../view.ts';
import { roomProblem, type RoomPlanInput } from './room-plan.ts';

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

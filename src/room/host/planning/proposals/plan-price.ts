/** What a plan costs: how long a token's lap takes, and how many tokens a millisecond it brings. */
import { priceStages, type Problem } from '../../../../planner/index.ts';
import type { Stage } from '../../../lap.ts';
import { roomProblem, type RoomPlanInput } from './room-problem.ts';

export interface FeasibleRoomPlan {
  feasible: true;
  stages: Stage[];
  /** One token's trip round all stages, at the position that the plan was made for. */
  lapMs: number;
  /** How much longer the trip is for each further position, and that position. */
  positionMs: number;
  position: number;
  /** The busiest device, or the slowest transfer: no two tokens follow each other faster. */
  slowestMs: number;
  why: string;
}

/**
 * Tokens a millisecond that a plan brings with so many answers in flight: each answer's next token waits
 * for its own lap, and all of them for the slowest stage.
 */
export function tokensPerMs({ lapMs, slowestMs }: FeasibleRoomPlan, inFlight: number): number {
  return Math.min(inFlight / lapMs, 1 / slowestMs);
}

/** What an answer waits for each of its tokens, with so many in flight. */
export function msPerTokenOf(plan: FeasibleRoomPlan, inFlight: number): number {
  return inFlight / tokensPerMs(plan, inFlight);
}

/** The plan with what it costs by what is known now; null once one of its devices is not measured any more. */
export function repriced(input: RoomPlanInput, plan: FeasibleRoomPlan): FeasibleRoomPlan | null {
  const known = new Set(input.members.map(({ id }) => id));
  if (plan.stages.some(({ device }) => !known.has(device))) return null;
  return priced(roomProblem(input), plan.stages, plan.why, input);
}

/** What a token of an answer should take on average, from the end of its prompt to its last token. */
export function predictedMsPerToken(
  { lapMs, positionMs, position }: FeasibleRoomPlan,
  { promptTokens, newTokens }: { promptTokens: number; newTokens: number },
): number {
  return lapMs + positionMs * (promptTokens + newTokens / 2 - position);
}

export function priced(
  problem: Problem,
  stages: Stage[],
  why: string,
  { members, position }: RoomPlanInput,
): FeasibleRoomPlan {
  const attendMs = new Map(members.map(({ id, profile }) => [id, profile.compute.attendMs]));
  const blocks = (stage: Stage): number =>
    problem.layers.slice(stage.first, stage.last + 1).filter(({ kind }) => kind === 'block').length;
  return {
    feasible: true,
    stages,
    lapMs: priceStages(problem, stages),
    positionMs: stages.reduce(
      (sum, stage) => sum + blocks(stage) * (attendMs.get(stage.device) ?? 0),
      0,
    ),
    position,
    slowestMs: priceStages(problem, stages, { objective: 'throughput' }),
    why,
  };
}

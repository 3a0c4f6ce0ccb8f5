/** What the room should run: the planner is asked, and its answer is put in sentences for a screen. */
import type { Manifest } from '../../../../model/manifest.ts';
import { solve, type Problem } from '../../../../planner/index.ts';
import { checkStages, hopsOf, type Stage } from '../../../lap.ts';
import { fitAdvice } from './fit-advice.ts';
import type { Choose } from './plan-chooser.ts';
import { priced, tokensPerMs, type FeasibleRoomPlan } from './plan-price.ts';
import { roomProblem, type RoomPlanInput } from './room-problem.ts';

export type RoomPlan = FeasibleRoomPlan | { feasible: false; why: string };

export async function planRoom(input: RoomPlanInput, choose: Choose): Promise<RoomPlan> {
  const problem = roomProblem(input);
  const { choice } = input;
  if (choice === 'auto') return chosenPlan(problem, input, choose);
  if (choice !== 'even') return handMadePlan(problem, choice, input);
  const plan = solve(problem, { method: 'even' });
  if (!plan.feasible) return tooSmall(plan.reason, input);
  return priced(problem, plan.stages, 'Blocks are dealt equally, as the host asked.', input);
}

/** The plan with the shortest lap, or, where many ask and it brings more, the one without a bottleneck. */
async function chosenPlan(
  problem: Problem,
  input: RoomPlanInput,
  choose: Choose,
): Promise<RoomPlan> {
  const { inFlight } = input;
  const quickest = await choose(problem, { objective: 'latency', sourceName: 'the host' });
  if (!quickest.feasible) return tooSmall(quickest.reason, input);
  const lone = priced(problem, quickest.plan.stages, asSentence(quickest.reason), input);
  if (inFlight < 2) return lone;
  const widest = await choose(problem, { objective: 'throughput', sourceName: 'the host' });
  if (!widest.feasible) return lone;
  const why = `${inFlight} answers are in flight, so the work is spread: ${widest.reason}.`;
  const shared = priced(problem, widest.plan.stages, why, input);
  return tokensPerMs(shared, inFlight) > tokensPerMs(lone, inFlight) ? shared : lone;
}

/** Each of a few "would it fit if …" is looked at for no longer, since it is only advice. */
const adviceMs = 100;

function tooSmall(reason: string, input: RoomPlanInput): RoomPlan {
  const advice = fitAdvice({
    members: input.members,
    parameters: parametersOf(input.manifest),
    fits: (members) =>
      solve(roomProblem({ ...input, members }), { timeLimitMs: adviceMs }).feasible,
  });
  return { feasible: false, why: `${asSentence(reason)} ${advice}` };
}

/** A tied head's weights are the embedding's, and counted once. */
function parametersOf({ layers }: Manifest): number {
  const sizes = new Map(
    layers.flatMap(({ tensors }) =>
      tensors.map(({ name, shape }) => [name, shape.reduce((product, size) => product * size, 1)]),
    ),
  );
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function handMadePlan(problem: Problem, stages: Stage[], input: RoomPlanInput): RoomPlan {
  const missing = stages.find(({ device }) => !input.members.some(({ id }) => id === device));
  if (missing)
    return {
      feasible: false,
      why: `The plan gives blocks to device ${missing.device}, which is not here.`,
    };
  checkStages(stages, input.manifest.layers.length);
  for (const { from, to } of hopsOf({ stages })) {
    const isLinked = problem.links.some((link) => link.from === from && link.to === to);
    if (!isLinked)
      return {
        feasible: false,
        why: `The plan passes from device ${from} to device ${to}, and these two cannot reach each other.`,
      };
  }
  return priced(problem, stages, 'The host chose these stages by hand.', input);
}

/** The planner's reasons are clauses; a screen shows sentences. */
function asSentence(reason: string): string {
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

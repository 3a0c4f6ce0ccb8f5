/**
 * The planner in its own worker, so that a long proof never blocks a tab. Messages in are `{ id, problem,
 * options }`, or `{ id, problem, explained }` to explain a plan. Messages out, with the same `id`, are any
 * number of `{ plan }`, each better than the last, and then one `{ choice }`, `{ explanation }` or `{ error
 * }`.
 */
import { errorMessage } from '../base/error-message.ts';
import type { Port } from '../base/worker-server.ts';
import { choosePlan, type Choice, type ChooseOptions } from './choose.ts';
import { explain, type ExplainablePlan, type Explanation } from './explain.ts';
import type { FeasiblePlan } from './plan.ts';
import type { Problem } from './problem.ts';

export type PlanRequest = { id: number; problem: Problem } & (
  { options: Omit<ChooseOptions, 'onPlan' | 'clock'> } | { explained: ExplainablePlan }
);

export type PlanResponse =
  | { id: number; plan: FeasiblePlan }
  | { id: number; choice: Choice }
  | { id: number; explanation: Explanation }
  | { id: number; error: string };

/** Answers the requests that arrive on a port. */
export function servePlanner(port: Port): void {
  port.addEventListener('message', ({ data }) => {
    // Only this app's own client writes to the port.
    const request = data as PlanRequest;
    const { id, problem } = request;
    const answer = (response: PlanResponse) => port.postMessage(response);
    try {
      const onPlan = (plan: FeasiblePlan) => answer({ id, plan });
      if ('explained' in request) answer({ id, explanation: explain(problem, request.explained) });
      else answer({ id, choice: choosePlan(problem, { ...request.options, onPlan }) });
    } catch (error) {
      answer({ id, error: errorMessage(error) });
    }
  });
}

if ('WorkerGlobalScope' in globalThis) servePlanner(globalThis);

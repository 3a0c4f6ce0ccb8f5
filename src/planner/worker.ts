/**
 * The planner in a worker of its own, so that a proof under way never blocks a tab. Messages in: `{ id, problem, options }`, and
 * `{ id, problem, explained }` for a plan to be explained. Messages out, for the same `id`: any number of `{ plan }`, each better than the
 * last, then one `{ choice }`, `{ explanation }` or `{ error }`.
 */
import { errorMessage } from '../base/error-message.ts';
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

/** What a worker's global scope and a message port have in common. */
export interface Port {
  postMessage: (message: unknown) => void;
  addEventListener: (type: 'message', listener: (event: { data: unknown }) => void) => void;
}

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

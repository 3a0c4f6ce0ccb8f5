/** The planner for a tab: called in the main thread, computed in a worker. */
import { workerServer, type PortServer } from '../base/worker-server.ts';
import type { Choice, ChooseOptions } from './choose.ts';
import type { ExplainablePlan, Explanation } from './explain.ts';
import type { FeasiblePlan } from './plan.ts';
import type { Problem } from './problem.ts';
import type { PlanRequest, PlanResponse } from './worker.ts';

export interface PlannerClient {
  /**
   * Chooses the plan to run. `onPlan` gets every better plan before the proof is complete; each can be
   * deployed at once.
   *
   * @throws {Error} if the problem lacks what the objective needs, the worker fails, or the client was
   *   disposed of
   */
  choose: (problem: Problem, options?: Omit<ChooseOptions, 'clock'>) => Promise<Choice>;
  /** Explains a plan. Rejects like `choose`. */
  explain: (problem: Problem, plan: ExplainablePlan) => Promise<Explanation>;
  /** Ends the worker, and rejects all calls without an answer. */
  dispose: () => void;
}

/** Starts a worker. Bundlers recognise the URL and build the worker as a separate entry. */
export function startPlanner(): PlannerClient {
  return connectPlanner(() =>
    workerServer(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })),
  );
}

type PlanQuestion = PlanRequest extends infer Request
  ? Request extends unknown
    ? Omit<Request, 'id'>
    : never
  : never;
type Answered = Exclude<PlanResponse, { plan: FeasiblePlan } | { error: string }>;

/** A client of the server that `open` creates, in which `servePlanner` answers. If that fails, the next question creates another. */
export function connectPlanner(open: () => PortServer): PlannerClient {
  interface Pending {
    onPlan: ((plan: FeasiblePlan) => void) | undefined;
    resolve: (response: Answered) => void;
    reject: (reason: Error) => void;
  }
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let isOpen = true;
  let server: PortServer | null = openServer();

  function openServer(): PortServer {
    const opened = open();
    opened.port.addEventListener('message', ({ data }) => receive(data as PlanResponse));
    opened.onFailed((why) => {
      if (server !== opened) return;
      server = null;
      opened.close();
      rejectAll(
        `The planner failed: ${why}. Check that this device reaches the server, then load the page again.`,
      );
    });
    return opened;
  }

  function receive(response: PlanResponse): void {
    const request = pending.get(response.id);
    if (request === undefined) return;
    if ('plan' in response) {
      request.onPlan?.(response.plan);
      return;
    }
    pending.delete(response.id);
    if ('error' in response) request.reject(new Error(response.error));
    else request.resolve(response);
  }

  function rejectAll(reason: string): void {
    for (const { reject } of pending.values()) reject(new Error(reason));
    pending.clear();
  }

  function ask(question: PlanQuestion, onPlan?: (plan: FeasiblePlan) => void): Promise<Answered> {
    return new Promise((resolve, reject) => {
      if (!isOpen) {
        reject(new Error('the planner was disposed of; start another one'));
        return;
      }
      const id = nextId++;
      pending.set(id, { onPlan, resolve, reject });
      server ??= openServer();
      server.port.postMessage({ id, ...question } satisfies PlanRequest);
    });
  }

  return {
    async choose(problem, { onPlan, ...options } = {}) {
      const response = await ask({ problem, options }, onPlan);
      if ('choice' in response) return response.choice;
      throw new Error('the planner answered a question that was not asked');
    },
    async explain(problem, explained) {
      const response = await ask({ problem, explained });
      if ('explanation' in response) return response.explanation;
      throw new Error('the planner answered a question that was not asked');
    },
    dispose: () => {
      isOpen = false;
      server?.close();
      rejectAll('the planner was disposed of before it had an answer');
    },
  };
}

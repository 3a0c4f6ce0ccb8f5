/** Chooses the plan that a room runs, and says why in words for people. */
import type { FeasiblePlan, Method, PlanResult } from './plan.ts';
import type { Problem } from './problem.ts';
import { solve, type SolveOptions } from './solve.ts';
import { formatCount, formatMs } from './words.ts';

export type Choice =
  | {
      feasible: true;
      /** The plan to run: the chosen method's, or one device alone if that is no slower. */
      plan: FeasiblePlan;
      /** One sentence, such as "two devices would need 41 ms a token, this laptop alone needs 38". */
      reason: string;
      compared: PlanResult[];
    }
  | { feasible: false; reason: string; compared: PlanResult[] };

export interface ChooseOptions extends SolveOptions {
  /** The source's name on the screen. Default `this device`. */
  sourceName?: string;
}

/** Compares the method's plan with the source alone and the best single device. At equal speed, fewer devices win. */
export function choosePlan(problem: Problem, options: ChooseOptions = {}): Choice {
  const method = options.method ?? 'exact';
  const tried: Method[] = [...new Set<Method>(['solo', 'best-single', method])];
  const compared = tried.map((each) => solve(problem, { ...options, method: each }));
  const feasible = compared.filter((result) => result.feasible);
  const plan = pick(feasible, problem.switching?.toleranceRatio);
  if (plan === null) {
    const last = compared.at(-1);
    const reason = last?.feasible === false ? last.reason : 'no plan was found';
    return { feasible: false, reason, compared };
  }
  return { feasible: true, plan, reason: reasonFor(problem, plan, compared, options), compared };
}

/**
 * The fastest plan, or the first of equals. In a room that already runs, the one within the tolerance that
 * loads least.
 */
function pick(plans: FeasiblePlan[], toleranceRatio: number | undefined): FeasiblePlan | null {
  const fastest = plans.reduce<FeasiblePlan | null>(
    (best, next) => (best === null || next.ms < best.ms * (1 - 1e-9) ? next : best),
    null,
  );
  if (fastest === null || toleranceRatio === undefined) return fastest;
  return plans
    .filter(({ ms }) => ms <= fastest.ms * (1 + toleranceRatio))
    .reduce((best, next) => (next.loadBytes < best.loadBytes ? next : best), fastest);
}

function reasonFor(
  { source }: Problem,
  plan: FeasiblePlan,
  compared: PlanResult[],
  options: ChooseOptions,
): string {
  const sourceName = options.sourceName ?? 'this device';
  const nameOf = (device: string) => (device === source ? sourceName : device);
  const unit = { latency: 'a token', throughput: 'between tokens', request: 'for the request' }[
    plan.objective
  ];
  const devicesOf = ({ stages }: FeasiblePlan) => [...new Set(stages.map(({ device }) => device))];
  const describe = (which: FeasiblePlan) => {
    const used = devicesOf(which);
    return used.length === 1 ? `${nameOf(used[0])} alone` : `${formatCount(used.length)} devices`;
  };
  const says = (which: FeasiblePlan, verb: string) =>
    `${describe(which)} ${verb} ${formatMs(which.ms)} ${unit}`;

  const others = compared.filter(
    (result): result is FeasiblePlan => result.feasible && describe(result) !== describe(plan),
  );
  const rival = others.sort((a, b) => a.ms - b.ms).at(0);
  if (rival !== undefined)
    return `${says(rival, 'would need')}, ${describe(plan)} ${devicesOf(plan).length > 1 ? 'need' : 'needs'} ${formatMs(plan.ms)}`;
  const alone = compared.find(({ method }) => method === 'solo');
  if (alone?.feasible === false && devicesOf(plan).length > 1)
    return `${sourceName} cannot hold the model alone; ${says(plan, 'need')}`;
  return `${says(plan, devicesOf(plan).length > 1 ? 'need' : 'needs')}, and nothing else in the room is faster`;
}

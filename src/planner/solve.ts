import { even, proportional } from './baseline/dealt.ts';
import { bestSingle, solo } from './baseline/single.ts';
import { twoDevice } from './baseline/two-device.ts';
import { edgeshardLatency } from './edgeshard/latency.ts';
import { edgeshardThroughput } from './edgeshard/throughput.ts';
import { solveExactly, type ExactOptions } from './exact/exact.ts';
import { latencyCost, loadBytesOf, throughputCost, type Cost, type Placement } from './evaluate.ts';
import { buildInstance, plainInfeasibility, type Instance } from './instance.ts';
import type { Outcome } from './outcome.ts';
import type { FeasiblePlan, Method, Objective, PlanResult } from './plan.ts';
import { ProblemError, type Problem } from './problem.ts';
import { preferLoaded } from './replan.ts';

const defaultTimeLimitMs = 2000;

/** The number of loading prices that a re-plan tries; each gets an equal part of half the time limit. */
const replanTries = 8;

export interface SolveOptions {
  /** Default `latency`. */
  objective?: Objective;
  /** Default `exact`. */
  method?: Method;
  /** For `exact`: the time after which it returns its best plan with a proven bound. Default 2000. */
  timeLimitMs?: number;
  /** Tokens that share one trip (a micro-batch). Default 1. */
  batch?: number;
  /** Whether to plan with each link's usual latency (default), or the one that nine of ten messages stay below. */
  percentile?: 'p50' | 'p90';
  /** Replaces the problem's own `request`. */
  request?: { prompt: number; generate: number };
  /** The clock of the time limit, ms. Default `performance.now`; processor time on a busy machine. */
  clock?: () => number;
  /** Called with every better plan as it is found, so that it can be used before the proof is complete. */
  onPlan?: (plan: FeasiblePlan) => void;
}

/**
 * Places the layers of a model on the devices of a room.
 *
 * @throws {ProblemError} if the objective needs a field that the problem lacks
 */
export function solve(problem: Problem, options: SolveOptions = {}): PlanResult {
  const startedAt = performance.now();
  const objective = options.objective ?? 'latency';
  const method = options.method ?? 'exact';
  const instance = instanceOf(problem, options);
  const asPlan = (placement: Placement, boundMs?: number): FeasiblePlan => {
    const cost = costOf(instance, objective, placement);
    const ms = totalMs(objective, cost);
    const bound = Math.min(ms, boundMs ?? layersAtTheirFastest(instance, objective));
    return {
      feasible: true,
      objective,
      method,
      ms,
      optimal: ms - bound <= 1e-9 * Math.max(1, ms),
      boundMs: bound,
      stages: placement.map(({ device, first, last }) => ({
        device: instance.devices[device].id,
        first,
        last,
      })),
      ...cost,
      batch: options.batch ?? 1,
      loadBytes: loadBytesOf(instance, placement),
      elapsedMs: performance.now() - startedAt,
    };
  };

  const impossible = plainInfeasibility(instance);
  const timeLimitMs = options.timeLimitMs ?? defaultTimeLimitMs;
  const combine = objective === 'throughput' ? 'slowest' : 'sum';
  const clock = options.clock ?? (() => performance.now());
  const settles = method === 'exact' && problem.switching !== undefined;
  const outcome: Outcome =
    impossible === null
      ? outcomeOf(instance, objective, method, {
          combine,
          clock,
          timeLimitMs: settles ? timeLimitMs / 2 : timeLimitMs,
          onBetter: (placement) => options.onPlan?.(asPlan(placement)),
        })
      : { found: false, reason: impossible, proven: true };
  if (outcome.found) {
    if (!settles || problem.switching === undefined)
      return asPlan(outcome.placement, outcome.boundMs);
    const msOf = (placement: Placement) =>
      totalMs(objective, costOf(instance, objective, placement));
    const settled = preferLoaded(instance, outcome.placement, {
      mostMs: msOf(outcome.placement) * (1 + problem.switching.toleranceRatio),
      msOf,
      tries: replanTries,
      solve: (priced, onBetter) =>
        solveExactly(priced, {
          combine,
          clock,
          onBetter,
          timeLimitMs: timeLimitMs / 2 / replanTries,
        }),
    });
    return asPlan(settled, outcome.boundMs);
  }
  return {
    feasible: false,
    objective,
    method,
    reason: outcome.reason,
    proven: outcome.proven,
    elapsedMs: performance.now() - startedAt,
  };
}

/** The problem in the solvers' form, with these options. */
export function instanceOf(problem: Problem, options: SolveOptions): Instance {
  const objective = options.objective ?? 'latency';
  const request = options.request ?? problem.request;
  if (objective === 'request' && request === undefined)
    throw new ProblemError('request is missing: the request objective needs prompt and generate');
  return buildInstance(problem, {
    objective,
    batch: options.batch ?? 1,
    percentile: options.percentile ?? 'p50',
    request: request ?? { prompt: 1, generate: 1 },
  });
}

function outcomeOf(
  instance: Instance,
  objective: Objective,
  method: Method,
  exactOptions: ExactOptions,
): Outcome {
  const msOf = (placement: Placement) => totalMs(objective, costOf(instance, objective, placement));
  switch (method) {
    case 'exact':
      return solveExactly(instance, exactOptions);
    case 'edgeshard':
      return objective === 'throughput'
        ? edgeshardThroughput(instance)
        : edgeshardLatency(instance);
    case 'solo':
      return solo(instance);
    case 'best-single':
      return bestSingle(instance, msOf);
    case 'even':
      return even(instance);
    case 'two-device':
      return twoDevice(instance, msOf, objective !== 'throughput');
    case 'proportional':
      return proportional(instance);
  }
}

export function costOf(instance: Instance, objective: Objective, placement: Placement): Cost {
  return objective === 'throughput'
    ? throughputCost(instance, placement)
    : latencyCost(instance, placement);
}

export function totalMs(objective: Objective, { computeMs, linkMs }: Cost): number {
  return objective === 'throughput' ? Math.max(computeMs, linkMs) : computeMs + linkMs;
}

/** A bound on every plan: each layer on the device fastest at it, free links, and evenly spread work. */
function layersAtTheirFastest(instance: Instance, objective: Objective): number {
  let ms = 0;
  for (let layer = 0; layer < instance.layerCount; layer++)
    ms += Math.min(...instance.kinds.map(({ layerMs }) => layerMs[layer]));
  return objective === 'throughput' ? ms / instance.devices.length : ms;
}

/** The objectives, the methods, and the plans that solvers return. */

/**
 * `latency`: one token at a time, ms a token. `throughput`: work always in flight, ms between tokens
 * (the slowest device or transfer). `request`: ms for a whole request, prompt and answer.
 */
export const objectives = ['latency', 'throughput', 'request'] as const;
export type Objective = (typeof objectives)[number];

/**
 * `exact`: proven, or with a proven bound at its time limit. `edgeshard`: the paper's programme. `solo`:
 * everything on the source. `best-single`: the best device that may have all unpinned layers. `even`: equal
 * ranges in device order. `two-device`: the source and one other (the paper's Cloud-Edge-Opt).
 * `proportional`: ranges by speed.
 */
export const methods = [
  'exact',
  'edgeshard',
  'solo',
  'best-single',
  'even',
  'two-device',
  'proportional',
] as const;
export type Method = (typeof methods)[number];

/** A range of layers on one device; `first` and `last` are both included. */
export interface Stage {
  device: string;
  first: number;
  last: number;
}

export interface FeasiblePlan {
  feasible: true;
  objective: Objective;
  method: Method;
  /** The ms that the objective minimises. */
  ms: number;
  /** True only with a proof that no plan is better. */
  optimal: boolean;
  /** No plan is faster than this. Equals `ms` if `optimal`. */
  boundMs: number;
  stages: Stage[];
  /** Latency and request: all layer times. Throughput: the busiest device's. */
  computeMs: number;
  /** Latency and request: all transfers. Throughput: the slowest one. */
  linkMs: number;
  /** Tokens that share one trip; 1 unless a micro-batch was asked for. */
  batch: number;
  /** Bytes of weights that devices would still have to load. */
  loadBytes: number;
  /** How long the solver took. */
  elapsedMs: number;
}

export interface InfeasiblePlan {
  feasible: false;
  objective: Objective;
  method: Method;
  /** One sentence for people. */
  reason: string;
  /** True when no plan exists at all; false when only this method found none. */
  proven: boolean;
  elapsedMs: number;
}

export type PlanResult = FeasiblePlan | InfeasiblePlan;

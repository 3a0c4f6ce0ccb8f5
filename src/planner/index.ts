/** The planner's public face. It decides which device of a room has which layers of a model. */
export {
  parseProblem,
  ProblemError,
  ProblemSchema,
  type Device,
  type Link,
  type Problem,
  type Layer,
} from './problem.ts';
export {
  methods,
  objectives,
  type FeasiblePlan,
  type InfeasiblePlan,
  type Method,
  type Objective,
  type PlanResult,
  type Stage,
} from './plan.ts';
export { solve, type SolveOptions } from './solve.ts';
export { choosePlan, type Choice, type ChooseOptions } from './choose.ts';
export { priceStages } from './price.ts';
export { chooseBatch, type BatchChoice } from './batch.ts';
export {
  explain,
  type ExplainablePlan,
  type Alternative,
  type ExplainedStage,
  type Explanation,
  type ExplainOptions,
  type Limit,
} from './explain.ts';
export { simulate, type Busy, type Simulation, type SimulationOptions } from './simulate.ts';
export { connectPlanner, startPlanner, type PlannerClient } from './client.ts';

/** The face of the stages: the way of a frame through this device's layers. */
export {
  type Boundary,
  type BoundaryTap,
  createBoundaryTap,
  mostWatches,
  type Seen,
} from './boundary-tap.ts';
export type { StageProgress } from './progress.ts';
export type { StageFailure } from './stage-failures.ts';
export type {
  LapEnd,
  StageActivity,
  StageLimits,
  StageOutcomes,
  StageRunnerOptions,
  StageWires,
} from './stage-options.ts';
export {
  createStageRunner,
  type LapFork,
  type LapStart,
  type StageRunner,
} from './stage-runner.ts';

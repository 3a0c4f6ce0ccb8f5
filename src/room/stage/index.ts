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
export {
  createStageRunner,
  type LapEnd,
  type LapFork,
  type LapStart,
  type StageRunner,
  type StageRunnerOptions,
} from './stage-runner.ts';

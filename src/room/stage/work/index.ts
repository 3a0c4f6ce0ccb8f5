/** The face of a stage's work: what waits, on which route, in which order, and how the engine is fed with it. */
export { createEngineFeed, type EngineFeed, type EngineJob } from './engine-feed.ts';
export { createRoutes, type Route, type Routes } from './routes.ts';
export { createStageQueue } from './stage-queue.ts';
export {
  forkSource,
  groupedByStage,
  headerFor,
  isStep,
  nextStage,
  positionsOf,
  timing,
  type Work,
} from './stage-work.ts';

/** The face of planning: which plan runs, how it is made anew, and what the room's laps can carry. */
export { batchesAreExact, mostTogether, prefillChunkOf } from './lap-limits.ts';
export type { Planning } from './planning.ts';
export { createPlans, type Plans } from './plans.ts';
export type { RunningLap } from './plans-in-use.ts';
export { msPerTokenOf, predictedMsPerToken } from './proposals/index.ts';

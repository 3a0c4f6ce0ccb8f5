/** The face of planning: which plan runs, why, and what would run without a device. */
export { batchesAreExact, mostTogether, prefillChunkOf } from './lap-facts.ts';
export type { Planning } from './planning.ts';
export { createPlans, type Plans } from './plans.ts';
export type { RunningLap } from './plans-in-use.ts';
export { msPerTokenOf, predictedMsPerToken } from './proposals/index.ts';

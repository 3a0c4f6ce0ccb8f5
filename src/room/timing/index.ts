/** The face of timing: where a token's time goes. */
export { createLapWatch, createStageWatch } from './stage-means.ts';

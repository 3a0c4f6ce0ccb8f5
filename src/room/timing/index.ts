/** The face of timing: where a token's time goes. */
export { median } from '../../base/median.ts';
export { createLapWatch, createStageWatch } from './stage-means.ts';

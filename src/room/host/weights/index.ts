/** The face of the weights: the model's bytes in this room, and who has which. */
export { describedProblem, ModelRefusedError, problemOf } from './model-problem.ts';
export { type OpenedModel, openModel } from './open-model.ts';
export type { LayerSources, PieceTracker } from './piece-tracker.ts';
export { createSharedModel, type SharedModel } from './shared-model.ts';

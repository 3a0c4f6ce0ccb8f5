/** The face of proposals: which plan the room should run, what it costs, and what would run without a device. */
export { brokenBecause } from './broken-laps.ts';
export type { StandbyLayers } from './failover-plans.ts';
export { sequencesThatFit } from './memory-fit.ts';
export { type FeasibleRoomPlan, msPerTokenOf, predictedMsPerToken } from './plan-price.ts';
export { planReasons } from './plan-reasons.ts';
export type { RoomPlan } from './room-plan.ts';
export { createRoomPlanner, type RoomPlanner } from './room-planner.ts';
export { hiddenBytes } from './room-problem.ts';

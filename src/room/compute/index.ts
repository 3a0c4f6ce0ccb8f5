/** The face of computing: an engine made ready, its layers proven, its stages run. */
export { type ComputingDevice, createComputingDevice } from './computing-device.ts';
export { deviationOf, isWithin, limitOf, piecesAreExact } from './deviation.ts';
export { type PreparedEngine, prepareEngine } from './prepare-engine.ts';
export type { Job } from './recompute.ts';
export { type ComputeWith, saferThan } from './safer-compute.ts';
export { createSelfProof, WrongResult } from './self-proof.ts';
export { createShardHolder, type ShardHolder } from './shard-holder.ts';

/** The face of replay: hidden states that a device keeps, and the rebuild of caches from them. */
export { type CacheRebuild, checkRebuild, type Replay } from './cache-rebuild.ts';
export { createReplayBuffer, type ReplayBuffer, replayBudgetBytes } from './replay-buffer.ts';

/** The face of the KV caches: who holds what of which sequence, and how it is rebuilt after a loss. */
export type { CacheRebuilds } from './cache-rebuilds.ts';
export { type Caches, createCaches } from './caches.ts';
export type { OpenSequence, Sequences } from './sequences.ts';

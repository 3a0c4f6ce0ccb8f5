/** The face of the KV caches: who holds what of which sequence, and how a gap is filled. */
export type { CacheRebuilds } from './cache-rebuilds.ts';
export { type Caches, createCaches } from './caches.ts';
export type { Lease, Sequences } from './sequences.ts';

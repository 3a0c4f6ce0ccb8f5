/** Device to device: room links, introductions, proofs, frames. Knows nothing of models or plans. */
export { LinkError, type LinkErrorCode } from './link-error.ts';
export type * from './types.ts';

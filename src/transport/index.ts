/** Device to device: room links, introductions, proofs, frames. Knows nothing of models or plans. */
export { createAllowance, type Allowance, type AllowanceOptions } from './allowance.ts';
export { parseEmulatedLink } from './emulated-network.ts';
export { createIdentity, keepIdentity } from './identity.ts';
export { LinkError, type LinkErrorCode } from './link-error.ts';
export { openLink } from './link.ts';
export { createSignalling, type AnySignallingOptions } from './create-signalling.ts';
export { makeRoomKey, makeRoomLink, parseRoomLink } from './room-link.ts';
export { pairCode } from './pair-code.ts';
export { makePeerId } from './signalling.ts';
export type * from './types.ts';

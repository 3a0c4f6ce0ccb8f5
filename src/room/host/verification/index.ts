/** The face of verification: whether devices compute what they should, and what follows if they do not. */
export { createStalledLaps, type StalledLaps } from './stalled-laps.ts';
export { createVerification, type Verification } from './verification.ts';

/** The face of profiling: how fast devices and links really are. */
export type { TokenLap } from './lap-lessons.ts';
export { createSpeeds, type Speeds } from './speeds.ts';

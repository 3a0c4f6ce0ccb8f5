/** The face of decoding: one answer, token by token, lap by lap. */
export { createBetweenLaps } from './between-laps.ts';
export { createLapRunner, type LapRunner, type Trip } from './lap-runner.ts';
export { watchLaps } from './overdue-laps.ts';
export { createTurns } from './pipeline-turns.ts';
export { greedy } from './sampler.ts';
export { createSpeculations } from './speculation.ts';
export { nothingWritten, writeAnswer, type WritingOptions } from './write-answer.ts';

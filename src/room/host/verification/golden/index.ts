/** The face of the golden states that a room records for a model that came without. */
export { createGoldenRecorder } from './golden-recorder.ts';
export { createRecordingTimes, type RecordingTimes } from './recording-times.ts';

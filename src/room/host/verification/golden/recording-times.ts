/** When golden states are recorded: while nobody waits for an answer, and again when layers have moved. */
import type { GoldenRecorder } from './golden-recorder.ts';

export interface RecordingTimes {
  /** How many answers are in flight now. */
  onInFlight(count: number): void;
  /** Other devices hold other layers now. */
  onLayersMoved(): void;
}

export function createRecordingTimes(recorder: Pick<GoldenRecorder, 'work'>): RecordingTimes {
  let inFlight = 0;
  let recording: AbortController | null = null;
  /** Layers have moved since the recorder last began. */
  let isOwed = false;

  function record(): void {
    isOwed = true;
    if (recording || inFlight > 0) return;
    isOwed = false;
    recording = new AbortController();
    // A device that cannot now may when the layers have moved again.
    void recorder
      .work(recording.signal)
      .catch(() => undefined)
      .finally(() => {
        recording = null;
        if (isOwed) record();
      });
  }

  return {
    onInFlight(count) {
      inFlight = count;
      if (count > 0) recording?.abort();
      else record();
    },
    onLayersMoved: record,
  };
}

/** Writes the room's record a moment after each change, and never two writes at once. */
import { saveRoomRecord, type RoomRecord } from './room-record.ts';

/** A crash loses at most the tokens of this time, and they are computed again. */
const delayMs = 500;

export interface RecordWriter {
  /** Something worth keeping changed. */
  changed(): void;
  stop(): void;
}

export function createRecordWriter(
  record: () => RoomRecord,
  onProblem: (sentence: string) => void,
): RecordWriter {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  /** Changes so far, and how many of them the last write included. */
  let changes = 0;
  let written = 0;

  async function write(): Promise<void> {
    written = changes;
    try {
      await saveRoomRecord(record());
    } catch {
      isStopped = true;
      onProblem('This browser keeps nothing for this page: reloading it would end the room.');
    }
    timer = undefined;
    if (written < changes) schedule();
  }

  function schedule(): void {
    if (isStopped || timer !== undefined) return;
    timer = setTimeout(() => void write(), delayMs);
  }

  return {
    changed() {
      changes++;
      schedule();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

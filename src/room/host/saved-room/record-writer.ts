/** Writes the room's record at once and then a moment after each change, and never two writes at once. */
import { storageFailure } from '../../../base/storage-failure.ts';
import { saveRoomRecord, type RoomRecord } from './room-record.ts';

/** A crash loses at most the tokens of this time, and they are computed again. */
const delayMs = 500;

const noStorage = 'This browser keeps nothing for this page: reloading it would end the room.';
const noRoom =
  'This browser has no room left to keep the conversation: reloading this page would end the room.';

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
  /** What was said last; each is said once, however often writing fails. */
  let problem: string | null = null;

  async function write(): Promise<void> {
    written = changes;
    try {
      await saveRoomRecord(record());
      problem = null;
    } catch (error) {
      const isFull = storageFailure(error) === 'full';
      if (storageFailure(error) === 'refused') isStopped = true;
      const sentence = isFull ? noRoom : noStorage;
      if (sentence !== problem) onProblem(sentence);
      problem = sentence;
    }
    timer = undefined;
    if (written < changes) schedule();
  }

  function schedule(): void {
    if (isStopped || timer !== undefined) return;
    // A page that is left right after its room was opened finds the room again.
    timer = setTimeout(() => void write(), written === 0 ? 0 : delayMs);
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

/** The caches of a room's devices as the host manages them: who has what, for whom, and how gaps are filled. */
import type { ComputingDevice } from '../../compute/computing-device.ts';
import type { Lap } from '../../lap.ts';
import type { HostMessage } from '../../protocol/control-messages.ts';
import type { Attendance } from '../membership/liveness.ts';
import { createCacheBook } from './cache-map.ts';
import { createRefills, type Refills } from './cache-rebuilds.ts';
import { createSequences, type Sequences } from './sequences.ts';
import { watchRefills } from './watched-rebuilds.ts';

export interface CachesOptions {
  /** The model's last layer. */
  headLayer: number;
  /** Caches that fit the devices' memory together. */
  capacity: () => number;
  /** Positions a frame, when layers of this lap are filled. */
  chunk: (lap: Lap) => number;
  /** The host's own device; null while it has none. */
  own: () => Pick<
    ComputingDevice,
    'start' | 'fork' | 'release' | 'keepSequences' | 'adoptRefill' | 'resend'
  > | null;
  tell: (deviceId: string, message: HostMessage) => void;
  tellAll: (message: HostMessage) => void;
  attendance: Attendance;
}

export interface Caches {
  sequences: Sequences;
  refills: Refills;
  /** Whether an answer or a refill uses the sequence, or its cache is kept for reuse. */
  isInUse(sequence: number): boolean;
  /** Has every device give up the caches of all sequences but those in use. */
  tidy(): void;
  /** What this device had is gone. */
  lost(deviceId: string): void;
}

export function createCaches(options: CachesOptions): Caches {
  const { own, tell } = options;
  const book = createCacheBook(options.headLayer);

  function release(sequence: number): void {
    sequences.released(sequence);
    own()?.release(sequence);
    options.tellAll({ kind: 'release', sequence });
  }

  const sequences = createSequences({
    book,
    capacity: options.capacity,
    release,
    fork: (epoch, fork) => own()?.fork(epoch, fork),
  });
  const refills = createRefills({
    book,
    headLayer: options.headLayer,
    chunk: options.chunk,
    nextNumber: () => sequences.nextNumber(),
    release,
    start: (epoch, start) => own()?.start(epoch, start),
    adopt(deviceId, refill) {
      if (deviceId !== 'host')
        tell(deviceId, { kind: 'refill', ...refill, stages: [...refill.stages] });
      else {
        own()?.adoptRefill(refill);
        refills.ready('host', refill.sequence);
      }
    },
    resend(deviceId, resend) {
      if (deviceId !== 'host') tell(deviceId, { kind: 'resend', ...resend });
      else if (own()?.resend(resend) === false) refills.notKept('host', resend.sequence);
    },
  });

  return {
    sequences,
    refills: watchRefills(refills, options.attendance),
    isInUse: (sequence) => sequences.inUse().numbers.has(sequence),
    tidy() {
      const { numbers, last: upTo } = sequences.inUse();
      own()?.keepSequences([...numbers], upTo);
      options.tellAll({ kind: 'keep-sequences', sequences: [...numbers], upTo });
    },
    lost(deviceId) {
      book.lost(deviceId);
      refills.lost(deviceId);
    },
  };
}

/** What is told to the devices about their caches: to the host's own device by a call, to the others by a message. */
import type { Lap } from '../../lap.ts';
import type { ComputingDevice } from '../../compute/index.ts';
import type { HostMessage } from '../../protocol/index.ts';
import type { CacheRebuild, Replay } from '../../replay/index.ts';
import type { LapFork, LapStart } from '../../stage/index.ts';

export interface CacheTransportOptions {
  /** The host's own device; null while it has none. */
  own: () => Pick<
    ComputingDevice,
    'start' | 'fork' | 'release' | 'keepSequences' | 'adoptRebuild' | 'replay'
  > | null;
  tell: (deviceId: string, message: HostMessage) => void;
  tellAll: (message: HostMessage) => void;
}

export interface CacheTransport {
  /** Has a device take a rebuild's frames: true where it does at once, else it says when it is ready. */
  adopt(deviceId: string, rebuild: CacheRebuild): boolean;
  /** Has a device send what it kept: false where it has not, else it says so later. */
  replay(deviceId: string, replay: Replay): boolean;
  /** Token ids into the lap's layer 0, which is the host's. */
  start(planVersion: Lap['planVersion'], start: LapStart): void;
  /** Copies the beginning of a cache, all round the lap. */
  fork(planVersion: Lap['planVersion'], fork: LapFork): void;
  /** Has every device give up the sequence's cache, or end the rebuild of that number. */
  release(sequence: number): void;
  /** Has every device give up all caches but these, and those begun after `upTo`. */
  keepSequences(sequences: number[], upTo: number): void;
}

export function createCacheTransport({
  own,
  tell,
  tellAll,
}: CacheTransportOptions): CacheTransport {
  return {
    adopt(deviceId, rebuild) {
      if (deviceId !== 'host') {
        tell(deviceId, { kind: 'rebuild-cache', ...rebuild, stages: [...rebuild.stages] });
        return false;
      }
      own()?.adoptRebuild(rebuild);
      return true;
    },
    replay(deviceId, replay) {
      if (deviceId === 'host') return own()?.replay(replay) ?? true;
      tell(deviceId, { kind: 'replay', ...replay });
      return true;
    },
    start: (planVersion, start) => own()?.start(planVersion, start),
    fork: (planVersion, fork) => own()?.fork(planVersion, fork),
    release(sequence) {
      own()?.release(sequence);
      tellAll({ kind: 'release', sequence });
    },
    keepSequences(sequences, upTo) {
      own()?.keepSequences(sequences, upTo);
      tellAll({ kind: 'keep-sequences', sequences, upTo });
    },
  };
}

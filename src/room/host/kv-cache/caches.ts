import type { Lap } from '../../lap.ts';
import { createCacheMap } from './cache-map.ts';
import { createCacheRebuilds, type CacheRebuilds } from './cache-rebuilds.ts';
import { createSequences, type Sequences } from './sequences.ts';
import { watchRebuilds } from './watched-rebuilds.ts';
import type { ComputingDevice } from '../../compute/index.ts';
import type { HostMessage } from '../../protocol/index.ts';
import type { DeviceHandlers, Liveness } from '../membership/index.ts';

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
    'start' | 'fork' | 'release' | 'keepSequences' | 'adoptRebuild' | 'replay'
  > | null;
  tell: (deviceId: string, message: HostMessage) => void;
  tellAll: (message: HostMessage) => void;
  liveness: Liveness;
}

export interface Caches {
  sequences: Sequences;
  rebuilds: CacheRebuilds;
  /** Whether an answer or a cache rebuild uses the sequence, or its cache is kept for reuse. */
  isInUse(sequence: number): boolean;
  /** Has every device give up the caches of all sequences but those in use. */
  tidy(): void;
  /** What this device had is gone. */
  lost(deviceId: string): void;
  readonly handlers: DeviceHandlers<'rebuild-ready' | 'replay-missing'>;
}

export function createCaches(options: CachesOptions): Caches {
  const { own, tell } = options;
  const cacheMap = createCacheMap(options.headLayer);

  function release(sequence: number): void {
    sequences.released(sequence);
    own()?.release(sequence);
    options.tellAll({ kind: 'release', sequence });
  }

  const sequences = createSequences({
    cacheMap,
    capacity: options.capacity,
    release,
    fork: (planVersion, fork) => own()?.fork(planVersion, fork),
  });
  const rebuilds = createCacheRebuilds({
    cacheMap,
    headLayer: options.headLayer,
    chunk: options.chunk,
    nextNumber: () => sequences.nextNumber(),
    release,
    start: (planVersion, start) => own()?.start(planVersion, start),
    adopt(deviceId, rebuild) {
      if (deviceId !== 'host')
        tell(deviceId, { kind: 'rebuild-cache', ...rebuild, stages: [...rebuild.stages] });
      else {
        own()?.adoptRebuild(rebuild);
        rebuilds.ready('host', rebuild.sequence);
      }
    },
    replay(deviceId, replay) {
      if (deviceId !== 'host') tell(deviceId, { kind: 'replay', ...replay });
      else if (own()?.replay(replay) === false) rebuilds.replayMissing('host', replay.sequence);
    },
  });

  return {
    sequences,
    rebuilds: watchRebuilds(rebuilds, options.liveness),
    isInUse: (sequence) => sequences.inUse().numbers.has(sequence),
    tidy() {
      const { numbers, last: upTo } = sequences.inUse();
      own()?.keepSequences([...numbers], upTo);
      options.tellAll({ kind: 'keep-sequences', sequences: [...numbers], upTo });
    },
    lost(deviceId) {
      cacheMap.lost(deviceId);
      rebuilds.lost(deviceId);
    },
    handlers: {
      'rebuild-ready': ({ id }, { sequence }) => rebuilds.ready(id, sequence),
      'replay-missing': ({ id }, { sequence }) => rebuilds.replayMissing(id, sequence),
    },
  };
}

/** The KV caches of the room's devices: who holds what of which sequence, and what is rebuilt after a loss. */
import type { Lap } from '../../lap.ts';
import type { DeviceHandlers, Liveness } from '../membership/index.ts';
import { createCacheMap } from './cache-map.ts';
import { createCacheRebuilds, type CacheRebuilds } from './cache-rebuilds.ts';
import { createCacheTransport, type CacheTransportOptions } from './cache-transport.ts';
import { createSequences, type Sequences } from './sequences.ts';
import { watchRebuilds } from './watched-rebuilds.ts';

export interface CachesOptions extends CacheTransportOptions {
  /** The model's last layer. */
  headLayer: number;
  /** Caches that fit the devices' memory together. */
  capacity: () => number;
  /** Positions a frame, when layers of this lap are rebuilt. */
  chunk: (lap: Lap) => number;
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
  const { headLayer, capacity, chunk } = options;
  const cacheMap = createCacheMap(headLayer);
  const transport = createCacheTransport(options);

  function release(sequence: number): void {
    sequences.released(sequence);
    transport.release(sequence);
  }

  const sequences = createSequences({
    cacheMap,
    capacity,
    release,
    fork: (planVersion, fork) => transport.fork(planVersion, fork),
  });
  const rebuilds = createCacheRebuilds({
    cacheMap,
    headLayer,
    transport,
    nextNumber: () => sequences.nextNumber(),
    release,
    chunk,
  });

  return {
    sequences,
    rebuilds: watchRebuilds(rebuilds, options.liveness),
    isInUse: (sequence) => sequences.inUse().numbers.has(sequence),
    tidy() {
      const { numbers, last } = sequences.inUse();
      transport.keepSequences([...numbers], last);
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

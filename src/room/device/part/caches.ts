/** What the host says of the sequences whose caches this device holds. */
import type { ComputingDevice } from '../../compute/index.ts';
import type { DeviceMessage, Handlers, HostMessage } from '../../protocol/index.ts';
import type { Allowed } from './holdings.ts';

export interface CachesOptions {
  device: Pick<
    ComputingDevice,
    'release' | 'keepSequences' | 'adoptRebuild' | 'replay' | 'progress'
  >;
  allowed: Allowed;
  tell: (message: DeviceMessage) => void;
}

export type CacheHandlers = Pick<
  Handlers<HostMessage>,
  'release' | 'most-sequences' | 'keep-sequences' | 'rebuild-cache' | 'replay' | 'report-progress'
>;

export function createCacheHandlers({ device, allowed, tell }: CachesOptions): CacheHandlers {
  return {
    release: ({ sequence }) => device.release(sequence),
    'most-sequences': ({ most }) => void (allowed.mostSequences = most),
    'keep-sequences': ({ sequences, upTo }) => device.keepSequences(sequences, upTo),
    'rebuild-cache'(rebuild) {
      device.adoptRebuild(rebuild);
      tell({ kind: 'rebuild-ready', sequence: rebuild.sequence });
    },
    replay(replay) {
      if (!device.replay(replay)) tell({ kind: 'replay-missing', sequence: replay.sequence });
    },
    'report-progress'({ planVersion, sequence }) {
      const stages = device.progress(planVersion, sequence);
      tell({ kind: 'progress', planVersion, sequence, stages });
    },
  };
}

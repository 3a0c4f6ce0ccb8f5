/** How many sequences the devices' memory has room for, and how many one device may open on another's stages. */
import type { Manifest } from '../../../model/manifest.ts';
import type { Lap } from '../../lap.ts';
import type { Roster } from '../membership/index.ts';
import { sequenceCapacity } from './lap-limits.ts';

export interface SequenceLimitsOptions {
  roster: Roster;
  manifest: Manifest;
  contextLength: number;
  /** The host's own limit; null for none. */
  maxInFlight: number | null;
  /** The lap that new answers run on. */
  current: () => Lap | undefined;
}

export interface SequenceLimits {
  /** How many answers fit the devices' memory together; at least 1. */
  capacity(): number;
  /** How many sequences one device may open on another's stages, or the host's. */
  most(): number;
  /** Tells devices that limit, before those of the `next` lap are given layers: for whichever lap takes more. */
  tell(next?: Lap): void;
}

/** A device may hear of a sequence's end after the beginning of the next, which comes another way. */
const headroomFactor = 2;

export function createSequenceLimits(options: SequenceLimitsOptions): SequenceLimits {
  const { roster, manifest, contextLength, maxInFlight, current } = options;
  let toldMost: number = headroomFactor;

  function capacityOf(lap: Lap | undefined): number {
    const most = lap ? sequenceCapacity(roster.members, lap, manifest, contextLength) : 1;
    return Math.min(most, maxInFlight ?? most);
  }

  return {
    capacity: () => capacityOf(current()),
    most: () => toldMost,
    tell(next) {
      const most = headroomFactor * Math.max(capacityOf(next), capacityOf(current()));
      if (most === toldMost && !next) return;
      toldMost = most;
      roster.tellAll({ kind: 'most-sequences', most });
    },
  };
}

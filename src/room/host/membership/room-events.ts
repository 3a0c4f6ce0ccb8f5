/**
 * What happens in a room. The part of the host where it happens emits it; `reactions.ts` says what follows. Listeners
 * are called at once, in the order in which they were added.
 */
import { createNanoEvents, type Emitter } from 'nanoevents';
import type { Lap } from '../../lap.ts';
import type { Member } from './members.ts';

export interface RoomEvents {
  /** What the screen shows of a device changed. */
  shown: () => void;
  /** It is no member any more. Its layers are still planned for it. */
  left: (member: Member) => void;
  /** It does not answer, and `isAway` is set: the room goes on without it. */
  away: (member: Member) => void;
  /** It answers again, after so many ms. */
  back: (member: Member, awayMs: number) => void;
  /** The host's engine is ready to compute. */
  hostReady: () => void;
  /** The host's engine is gone with all that it held, for a reason in a sentence. */
  hostLost: (reason: string) => void;
  /** The layers and caches that the device held no longer count. */
  layersLost: (deviceId: string) => void;
  /** The layers and caches of all but these laps are gone or on their way out. */
  lapsKept: (laps: readonly Lap[]) => void;
  /** Other devices hold other layers now. */
  layersMoved: () => void;
  /** Another plan runs, or none, or the plan that runs has another price. */
  planChanged: () => void;
  /** The device accused others of what they did not do; a sentence. */
  falselyAccused: (deviceId: string, reason: string) => void;
  /** The room is over. */
  closed: () => void;
}

export type RoomEmitter = Emitter<RoomEvents>;

export function createRoomEvents(): RoomEmitter {
  return createNanoEvents<RoomEvents>();
}

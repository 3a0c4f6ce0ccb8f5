/** Puts a device out of the room for good. */
import { type Door, removedSentence, turnAway } from './door.ts';
import type { Member } from '../membership/index.ts';

export interface Removal {
  /** Its certificate is never let in again; the sentence is for the device's own screen. */
  remove(deviceId: string, reason?: string): void;
}

export function createRemoval(members: ReadonlyMap<string, Member>, door: Door): Removal {
  return {
    remove(deviceId, reason = removedSentence) {
      const link = members.get(deviceId)?.link;
      if (!link) return;
      door.ban(link.fingerprint);
      turnAway(link, reason);
    },
  };
}

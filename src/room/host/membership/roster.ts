/** Who is in the room: the one list of its devices, and the ways to tell them something. */
import { deviceLabel } from '../../../profile/this-device.ts';
import type { ViewStore } from '../../view-store.ts';
import { type DeviceHandlers, newMember, type Member } from './members.ts';
import type { RoomEmitter } from './room-events.ts';
import type { HostMessage } from '../../protocol/index.ts';

export interface RosterOptions {
  store: ViewStore;
  events: RoomEmitter;
}

export interface Roster {
  /** By id, the host itself among them. Whoever admits or loses a device keeps it up to date. */
  readonly members: Map<string, Member>;
  readonly host: Member;
  /** Whether an answer is in flight, so that devices with layers are at work. */
  readonly isComputing: boolean;
  tell(deviceId: string, message: HostMessage): void;
  tellAll(message: HostMessage): void;
  /** For the host's own screen. */
  notice(sentence: string): void;
  /** For every screen of the room. */
  announce(sentence: string): void;
  /** What the screen shows of a device changed. */
  show(): void;
  showComputing(isComputing: boolean): void;
  readonly handlers: DeviceHandlers<'status'>;
}

export function createRoster({ store, events }: RosterOptions): Roster {
  const host = newMember('host', deviceLabel(), null);
  const members = new Map([['host', host]]);
  let isComputing = false;

  function show(): void {
    events.emit('shown');
  }

  function tellAll(message: HostMessage): void {
    for (const { link } of members.values()) link?.sendControl(message);
  }

  return {
    members,
    host,
    get isComputing() {
      return isComputing;
    },
    tell: (deviceId, message) => members.get(deviceId)?.link?.sendControl(message),
    tellAll,
    notice: (sentence) => store.notice(sentence),
    announce(sentence) {
      store.notice(sentence);
      tellAll({ kind: 'notice', text: sentence });
    },
    show,
    showComputing(now) {
      isComputing = now;
      show();
    },
    handlers: {
      status(member, { status, usedBytes, bytesLoaded }) {
        member.status = status;
        member.toldStatusAt = performance.now();
        member.usedBytes = usedBytes;
        member.bytesLoaded = bytesLoaded;
        show();
      },
    },
  };
}

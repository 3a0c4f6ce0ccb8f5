/** Who is in the room: the one list of its devices, with the ways to tell them something and to show them. */
import { deviceLabel } from '../../../profile/this-device.ts';
import type { ViewStore } from '../../view-store.ts';
import { devicesView } from './devices-view.ts';
import { newMember, type Member } from './members.ts';
import type { DeviceProfile } from './device-profile.ts';
import type { HostMessage } from '../../protocol/index.ts';

export interface RosterOptions {
  store: ViewStore;
  /** A device's profile with its times as its laps show them. */
  calibrated: (deviceId: string, profile: DeviceProfile) => DeviceProfile;
  /** Positions before the token that a block's time is shown for. */
  position: number;
}

export interface Roster {
  /** By id, the host itself among them. Whoever admits or loses a device keeps it up to date. */
  readonly members: Map<string, Member>;
  readonly host: Member;
  tell(deviceId: string, message: HostMessage): void;
  tellAll(message: HostMessage): void;
  /** For the host's own screen. */
  notice(sentence: string): void;
  /** For every screen of the room. */
  announce(sentence: string): void;
  /** Something shown of a device changed. */
  show(): void;
  /** Whether an answer is in flight, so that devices with layers are at work. */
  showComputing(isComputing: boolean): void;
}

export function createRoster({ store, calibrated, position }: RosterOptions): Roster {
  const host = newMember('host', deviceLabel(), null);
  const members = new Map([['host', host]]);
  let isComputing = false;

  function show(): void {
    const profileOf = ({ id, profile }: Member): DeviceProfile | null =>
      profile && calibrated(id, profile);
    store.update({ devices: devicesView(members.values(), { isComputing, profileOf, position }) });
  }

  function tellAll(message: HostMessage): void {
    for (const { link } of members.values()) link?.sendControl(message);
  }

  return {
    members,
    host,
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
  };
}

/**
 * Lets devices in. Whoever dials proves the room key, says hello, and knocks at the door. Whoever is let in becomes a
 * member, and from then on each of its messages goes to the handler of its kind.
 */
import { errorMessage } from '../../../base/error-message.ts';
import {
  openLink,
  type Link,
  type RoomAddress,
  type Signalling,
} from '../../../transport/index.ts';
import { turnAway, type Door } from './door.ts';
import { createProofGuard } from './proof-guard.ts';
import type { Peers } from '../../links/index.ts';
import {
  type DeviceMessage,
  dispatch,
  type Handlers,
  type HostMessage,
  parseDeviceMessage,
  roomProtocolVersion,
} from '../../protocol/index.ts';
import { deviceName, type Member, newMember, type Roster } from '../membership/index.ts';

/** What a device says once it has been let in. `hello` comes before. */
export type MemberMessage = Exclude<DeviceMessage, { kind: 'hello' }>;

export interface AdmissionOptions {
  signalling: Signalling;
  address: RoomAddress;
  roster: Pick<Roster, 'members' | 'notice'>;
  peers: Peers;
  door: Door;
  maxDevices: number;
  welcome: (deviceId: string) => Extract<HostMessage, { kind: 'welcome' }>;
  /** Follows the welcome where no server has the manifest. */
  manifestMessage: Uint8Array | null;
  /** It is a member and has been welcomed. */
  onJoined: (member: Member) => void;
  /** A handler throws one sentence for what no honest device says. The link to the device is ended for that. */
  handlers: Handlers<MemberMessage, [from: Member]>;
}

export function admitDevices(options: AdmissionOptions): void {
  const { signalling, peers, door, handlers } = options;
  const { members, notice } = options.roster;
  const guard = createProofGuard({
    isKnown: (fingerprint) => door.isKnown(fingerprint),
    onSuspicion: (failures) =>
      notice(
        `Somebody tried ${failures} times to join with a wrong key: for a while new devices wait longer before they are let in.`,
      ),
  });
  let joined = 0;

  signalling.onDial((connection, peerId) => {
    void admit(connection, peerId).catch(() => {
      // The handshake has told the other side why. The room takes no notice of it.
      connection.close();
    });
  });

  async function admit(connection: RTCPeerConnection, peerId: string): Promise<void> {
    const { key } = options.address;
    const link = await guard.prove((beforeProof) =>
      openLink(connection, { peerId, key, version: roomProtocolVersion, beforeProof }),
    );
    let member: Member | null = null;
    let label: string | null = null;
    link.onControl((raw) => {
      try {
        const message = parseDeviceMessage(raw);
        if (message.kind === 'hello') {
          if (label !== null) throw new Error('a device said hello twice');
          label = message.label;
          door.knock({ link, label, enter: () => (member = enter(message.label, link)) });
        } else if (member) dispatch(handlers, message, member);
        else throw new Error(`${message.kind} came before it was let in`);
      } catch (error) {
        const fault = errorMessage(error);
        if (member) peers.refuse(member.id, fault);
        else link.close(fault);
      }
    });
  }

  function enter(label: string, link: Link): Member | null {
    replaceOlder(link.fingerprint);
    if (members.size >= options.maxDevices) {
      turnAway(
        link,
        `This room is full: it holds ${options.maxDevices} devices. Ask the host for a place.`,
      );
      return null;
    }
    const id = deviceName(joined++);
    const member = newMember(id, label, link);
    members.set(id, member);
    peers.add(id, link);
    link.sendControl(options.welcome(id));
    // A device that leaves meanwhile needs it no more.
    if (options.manifestMessage) link.sendBulk(options.manifestMessage).catch(() => undefined);
    options.onJoined(member);
    return member;
  }

  /** One certificate is one device: its page was loaded anew before its last link was missed. */
  function replaceOlder(fingerprint: string): void {
    for (const { link } of members.values())
      if (link?.fingerprint === fingerprint) turnAway(link, 'This device has joined anew.');
  }
}

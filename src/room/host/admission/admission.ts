/**
 * Lets devices in: proves the room key with whoever dials, asks at the door, welcomes them, has every pair that can meet
 * meet and measure, and turns their messages into what the host knows of them.
 */
import { errorMessage } from '../../../base/error-message.ts';
import type { ComputeProfile } from '../../../engine/engine.ts';
import {
  openLink,
  type Link,
  type RoomAddress,
  type Signalling,
} from '../../../transport/index.ts';
import { turnAway, type Door } from './door.ts';
import { createProofGuard } from './proof-guard.ts';
import { createLinkRetries } from './link-retries.ts';
import { measuredLink, type Peers } from '../../links/index.ts';
import {
  type DeviceMessage,
  type HostMessage,
  type MeasuredLink,
  parseDeviceMessage,
  roomProtocolVersion,
} from '../../protocol/index.ts';
import { deviceName, linkBetween, type Member, newMember } from '../membership/index.ts';

type MessageOf<Kind extends DeviceMessage['kind']> = Extract<DeviceMessage, { kind: Kind }>;

export interface AdmissionOptions {
  signalling: Signalling;
  address: RoomAddress;
  members: Map<string, Member>;
  peers: Peers;
  door: Door;
  maxDevices: number;
  /** So many wrong keys were tried of late. */
  onSuspicion: (failures: number) => void;
  welcome: (deviceId: string) => Extract<HostMessage, { kind: 'welcome' }>;
  /** Follows the welcome where no server has the manifest. */
  manifestMessage: Uint8Array | null;
  onJoined: (member: Member) => void;
  /** Something shown of a member changed. */
  onShown: () => void;
  /** Something the plan depends on changed. */
  onChanged: () => void;
  /** It has measured itself anew, or could not. */
  onMeasured: (member: Member, compute: ComputeProfile | null) => void;
  onVisibility: (member: Member, isHidden: boolean) => void;
  onReady: (member: Member, planVersion: number) => void;
  onUnable: (member: Member, planVersion: number, reason: string) => void;
  onKeepsLayer: (member: Member, layer: number, sha256: readonly string[]) => void;
  /** `member` says that it was given bytes that do not match their hash. Throws for what no honest device says. */
  onWeightsDisputed: (member: Member, message: MessageOf<'weights-disputed'>) => void;
  onAsk: (member: Member, question: Extract<DeviceMessage, { kind: 'ask' }>) => void;
  onStop: (member: Member, request: number) => void;
  onRebuildReady: (member: Member, rebuild: number) => void;
  /** It did not keep the hidden states that it was to send again. */
  onReplayMissing: (member: Member, rebuild: number) => void;
  /** Two members find no way to each other. */
  onApart: (member: Member, other: Member) => void;
  /** `member` ended its link to the other, which broke the rules in a way that the sentence says. */
  onRefused: (member: Member, other: Member, fault: string) => void;
  /** Two members reach each other by way of the server's relay only. */
  onRelayed: (member: Member, other: Member) => void;
  /** It computed wrongly before it came, and says with what it computes now. */
  onFellBack: (member: Member, sentence: string) => void;
  onStageFailed: (member: Member, message: MessageOf<'stage-failed'>) => void;
  onProgress: (member: Member, message: MessageOf<'progress'>) => void;
  onProof: (member: Member, message: MessageOf<'proved' | 'disproved'>) => void;
}

export interface Admission {
  /** Measures every link of the device anew; resolves when that is done. */
  remeasure(member: Member): Promise<void>;
}

export function admitDevices(options: AdmissionOptions): Admission {
  const { signalling, members, peers, door } = options;
  const guard = createProofGuard({
    isKnown: (fingerprint) => door.isKnown(fingerprint),
    onSuspicion: options.onSuspicion,
  });
  let joined = 0;
  /** Links are measured one after the other: two measurements at once would slow each other down. */
  let measuring: Promise<void> = Promise.resolve();
  const dialled = new Set<string>();
  const settling = new Map<string, () => void>();
  const linkRetries = createLinkRetries({
    members,
    introduce(a, b) {
      if (dialled.has(pairName(a.id, b.id))) introducePair(a, b);
      else introducePair(b, a);
    },
  });

  signalling.onDial((connection, peerId) => {
    void admit(connection, peerId).catch(() => {
      // Whoever could not prove the key has been told so by the handshake; the room takes no notice.
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
        if (member) handle(member, link, message);
        else if (message.kind !== 'hello')
          throw new Error(`${message.kind} came before it was let in`);
        else if (label !== null) throw new Error('a device said hello twice');
        else {
          label = message.label;
          door.knock({ link, label, enter: () => (member = enter(message.label, link)) });
        }
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
    // Whoever leaves before it has all of it needs it no more.
    if (options.manifestMessage) link.sendBulk(options.manifestMessage).catch(() => undefined);
    options.onJoined(member);
    return member;
  }

  /** One certificate is one device: its page was loaded anew before its last link was missed. */
  function replaceOlder(fingerprint: string): void {
    for (const { link } of members.values())
      if (link?.fingerprint === fingerprint) turnAway(link, 'This device has joined anew.');
  }

  function handle(member: Member, link: Link, message: DeviceMessage): void {
    switch (message.kind) {
      case 'hello':
        throw new Error('a device said hello twice');
      case 'status':
        member.status = message.status;
        member.usedBytes = message.usedBytes;
        member.bytesLoaded = message.bytesLoaded;
        options.onShown();
        return;
      case 'profile': {
        const { compute, callMs, adapter, budgetBytes } = message;
        member.profile = { compute, callMs, adapter, budgetBytes };
        if (message.fellBack !== null) options.onFellBack(member, message.fellBack);
        introduce(member);
        measureOwnLink(member, link);
        options.onShown();
        return;
      }
      case 'measured':
        options.onMeasured(member, message.compute);
        return;
      case 'visibility':
        options.onVisibility(member, message.isHidden);
        return;
      case 'budget':
        if (member.profile) member.profile.budgetBytes = message.budgetBytes;
        options.onChanged();
        return;
      case 'keeps-layer':
        options.onKeepsLayer(member, message.layer, message.sha256);
        return;
      case 'weights-disputed':
        options.onWeightsDisputed(member, message);
        return;
      case 'ask':
        options.onAsk(member, message);
        return;
      case 'stop':
        options.onStop(member, message.request);
        return;
      case 'connected':
        onMet(member, message.deviceId, message.reached);
        return;
      case 'link':
        onLink(member, message);
        return;
      case 'ready':
        options.onReady(member, message.planVersion);
        return;
      case 'unable':
        options.onUnable(member, message.planVersion, message.reason);
        return;
      case 'rebuild-ready':
        options.onRebuildReady(member, message.sequence);
        return;
      case 'replay-missing':
        options.onReplayMissing(member, message.sequence);
        return;
      case 'stage-failed':
        options.onStageFailed(member, message);
        return;
      case 'progress':
        options.onProgress(member, message);
        return;
      case 'proved':
      case 'disproved':
        options.onProof(member, message);
        return;
    }
  }

  /** The newcomer dials. */
  function introduce(newcomer: Member): void {
    for (const other of members.values())
      if (other !== newcomer && other.profile) introducePair(newcomer, other);
  }

  /** Who is dialled is told first, so that it lets the other in. */
  function introducePair(dialler: Member, other: Member): void {
    if (!other.link || !dialler.link) return;
    other.link.sendControl(introduction(dialler.id, dialler.link, false));
    dialler.link.sendControl(introduction(other.id, other.link, true));
    dialled.add(pairName(dialler.id, other.id));
  }

  /** Both sides report. The one that dialled measures; a failure on either side is a failure. */
  function onMet(member: Member, otherId: string, reached: boolean): void {
    if (!reached) settleLink(member, otherId, null);
    else if (dialled.has(pairName(member.id, otherId)))
      inTurn(() => {
        member.link?.sendControl({ kind: 'measure-link', deviceId: otherId });
        return settled(member, otherId);
      });
  }

  function measureOwnLink(member: Member, link: Link): void {
    inTurn(async () => {
      const profile = await measuredLink(link);
      if (profile) settleLink(member, 'host', profile);
      else
        link.close(
          'The connection to the host is too poor to be measured: move closer, and join again.',
        );
    });
  }

  function settled(member: Member, otherId: string): Promise<void> {
    return new Promise((resolve) => {
      settling.set(pairName(member.id, otherId), resolve);
      member.link?.onClosed(() => resolve());
    });
  }

  function onLink(member: Member, { deviceId, profile, fault }: MessageOf<'link'>): void {
    const other = members.get(deviceId);
    if (other && fault !== null) {
      // It is not for want of a network path.
      member.links.set(deviceId, null);
      options.onRefused(member, other, fault);
    }
    settleLink(member, deviceId, profile);
  }

  function settleLink(member: Member, otherId: string, profile: MeasuredLink | null): void {
    const other = members.get(otherId);
    // It may have left meanwhile; what is said of somebody who never was is not kept.
    if (other) {
      const before = linkBetween(member, other);
      member.links.set(otherId, profile);
      // Whatever the other one said was before they found each other again.
      if (profile !== null) other.links.delete(member.id);
      if (profile === null && before !== null) options.onApart(member, other);
      if (profile === null) linkRetries.apart(member, other);
      if (profile?.relayed === true && before?.relayed !== true) options.onRelayed(member, other);
    }
    const pair = pairName(member.id, otherId);
    settling.get(pair)?.();
    settling.delete(pair);
    options.onChanged();
  }

  /** A device that leaves while its turn comes has nothing left to measure; the others' turns come all the same. */
  function inTurn(work: () => Promise<void>): void {
    measuring = measuring.then(work).catch(() => undefined);
  }

  return {
    remeasure(member) {
      if (member.link) measureOwnLink(member, member.link);
      for (const other of members.values()) {
        // The host's own links are those that the others have to it.
        if (!member.link && other.link) measureOwnLink(other, other.link);
        if (dialled.has(pairName(member.id, other.id))) onMet(member, other.id, true);
        if (dialled.has(pairName(other.id, member.id))) onMet(other, member.id, true);
      }
      return measuring;
    },
  };
}

function introduction(deviceId: string, link: Link, dial: boolean): HostMessage {
  const { peerId, fingerprint } = link;
  return { kind: 'connect', deviceId, peerId, fingerprint, dial };
}

function pairName(dialler: string, other: string): string {
  return `${dialler}>${other}`;
}

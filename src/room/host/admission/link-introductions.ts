/**
 * Introduces every two devices to each other, so that one dials the other, and keeps what they say of the link between
 * them. Two that find no path to each other are introduced again later (`link-retries.ts`).
 */
import type { Link } from '../../../transport/index.ts';
import type { DeviceMessage, HostMessage, MeasuredLink, MessageOf } from '../../protocol/index.ts';
import {
  type DeviceHandlers,
  linkBetween,
  type Member,
  nameOf,
  type Roster,
} from '../membership/index.ts';
import type { Plans } from '../planning/index.ts';
import { createLinkMeasurements } from './link-measurements.ts';
import { createLinkRetries } from './link-retries.ts';

export interface LinkIntroductionsOptions {
  roster: Pick<Roster, 'members' | 'notice' | 'show'>;
  /** Told when a link is settled, since plans are made from links. */
  plans: Pick<Plans, 'changed'>;
}

export interface LinkIntroductions {
  /** Measures every link of the device anew; resolves when that is done. */
  remeasure(member: Member): Promise<void>;
  readonly handlers: DeviceHandlers<'profile' | 'connected' | 'link'>;
}

type DeviceMessageOf<Kind extends DeviceMessage['kind']> = MessageOf<DeviceMessage, Kind>;

export function createLinkIntroductions({
  roster,
  plans,
}: LinkIntroductionsOptions): LinkIntroductions {
  const { members } = roster;
  /** Pairs that were introduced, in the order in which one dials the other. */
  const dialled = new Set<string>();
  const measurements = createLinkMeasurements((member, link) => settleLink(member, 'host', link));
  const linkRetries = createLinkRetries({
    members,
    introduce(a, b) {
      if (dialled.has(pairName(a.id, b.id))) introducePair(a, b);
      else introducePair(b, a);
    },
  });

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

  function onProfile(
    member: Member,
    { compute, callMs, adapter, budgetBytes, fellBack }: DeviceMessageOf<'profile'>,
  ): void {
    member.profile = { compute, callMs, adapter, budgetBytes };
    if (fellBack !== null) roster.notice(`${nameOf(member)}: ${fellBack}`);
    introduce(member);
    measurements.measureOwn(member);
    roster.show();
  }

  /** Both sides report. The one that dialled measures; a failure on either side is a failure. */
  function onMet(member: Member, otherId: string, reached: boolean): void {
    if (!reached) settleLink(member, otherId, null);
    else if (dialled.has(pairName(member.id, otherId)))
      measurements.measureBetween(member, otherId);
  }

  function onLink(member: Member, { deviceId, profile, fault }: DeviceMessageOf<'link'>): void {
    const other = members.get(deviceId);
    if (other && fault !== null) {
      // There is a network path: the other must not be told that there is none.
      member.links.set(deviceId, null);
      roster.notice(`${nameOf(member)} ended its connection to ${nameOf(other)}: ${fault}`);
    }
    settleLink(member, deviceId, profile);
  }

  function settleLink(member: Member, otherId: string, profile: MeasuredLink | null): void {
    const other = members.get(otherId);
    // The other may have left meanwhile, or never have been here.
    if (other) {
      const before = linkBetween(member, other);
      member.links.set(otherId, profile);
      // What the other said of the link is older than this.
      if (profile !== null) other.links.delete(member.id);
      if (profile === null && before !== null) roster.notice(apartSentence(member, other));
      if (profile === null) linkRetries.apart(member, other);
      if (profile?.relayed === true && before?.relayed !== true)
        roster.notice(relayedSentence(member, other));
    }
    measurements.settled(member, otherId);
    plans.changed();
  }

  return {
    remeasure(member) {
      measurements.measureOwn(member);
      for (const other of members.values()) {
        // The host's own links are those that the others have to it.
        if (!member.link) measurements.measureOwn(other);
        if (dialled.has(pairName(member.id, other.id))) onMet(member, other.id, true);
        if (dialled.has(pairName(other.id, member.id))) onMet(other, member.id, true);
      }
      return measurements.done();
    },
    handlers: {
      profile: onProfile,
      connected: (member, { deviceId, reached }) => onMet(member, deviceId, reached),
      link: onLink,
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

function apartSentence(member: Member, other: Member): string {
  return `${nameOf(member)} and ${nameOf(other)} find no network path to each other; nothing is passed between them. Guest networks keep devices apart, and so do some VPNs.`;
}

function relayedSentence(member: Member, other: Member): string {
  return `${nameOf(member)} and ${nameOf(other)} reach each other only by way of the server, which is slower: their network keeps devices apart.`;
}

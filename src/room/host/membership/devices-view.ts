/** The members of the room, as the host's screen shows them. */
import type { DeviceStatus, DeviceView } from '../../view.ts';
import { linkBetween, type Member } from './members.ts';
import { blockMsAt, type DeviceProfile } from './device-profile.ts';

interface Shown {
  isComputing: boolean;
  /** What is known of the member's speed by now; null before it has measured itself. */
  profileOf: (member: Member) => DeviceProfile | null;
  /** Positions before the token that a block's time is shown for. */
  position: number;
}

export function devicesView(
  members: Iterable<Member>,
  { isComputing, profileOf, position }: Shown,
): DeviceView[] {
  const all = [...members];
  const host = all.find((member) => member.id === 'host');
  return all.map((member) => {
    const profile = profileOf(member);
    const link = host && member !== host ? (linkBetween(member, host) ?? null) : null;
    return {
      id: member.id,
      label: member.label,
      isThisDevice: member === host,
      status: shownStatus(member, isComputing),
      layers: member.layers,
      compute: profile && {
        backend: profile.compute.backend,
        adapter: profile.adapter,
        weights: profile.compute.weights,
        blockMs: blockMsAt(profile.compute, position),
        headMs: profile.compute.headMs,
      },
      memory: { budgetBytes: profile?.budgetBytes ?? 0, usedBytes: member.usedBytes },
      bytesLoaded: member.bytesLoaded,
      emulation: member.emulation,
      stages: [],
      isHidden: member.isHidden,
      link: link && {
        latencyMs: link.latencyMs,
        mbps: link.mbps,
        relayed: member.link?.stats.relayed ?? link.relayed ?? false,
      },
    };
  });
}

/** Devices do not report every token they compute: while an answer runs, whoever holds layers computes. */
function shownStatus(member: Member, isComputing: boolean): DeviceStatus {
  const { status, layers } = member;
  if (member.isInterrupted) return { kind: 'reconnecting' };
  if (member.isAway) return { kind: 'away' };
  if (status.kind !== 'ready') return status;
  if (layers.length === 0) return { kind: 'standby', ready: [] };
  return isComputing ? { kind: 'computing' } : status;
}

/** Who is in the room, as the host knows them: the host itself first, then devices in order of joining. */
import type { Link, LinkEmulation } from '../../../transport/index.ts';
import type { DeviceStatus, LayerRange } from '../../view.ts';
import type { DeviceProfile } from './device-profile.ts';
import type { DeviceMessage, Handlers, MeasuredLink } from '../../protocol/index.ts';

export interface Member {
  readonly id: string;
  readonly label: string;
  /** Null for the host itself. */
  readonly link: Link | null;
  status: DeviceStatus;
  /** When it last told its status, by `performance.now()`, ms; its joining counts as the first time. */
  toldStatusAt: number;
  /** Null until it has measured itself. */
  profile: DeviceProfile | null;
  /** Links that this member measured, or null where the two cannot reach each other; see `linkBetween`. */
  links: Map<string, MeasuredLink | null>;
  /** Layers it was told to hold by the lap that runs. */
  layers: LayerRange[];
  usedBytes: number;
  bytesLoaded: number;
  emulation: LinkEmulation | null;
  /** Its page is not in sight, and the browser may slow it down. */
  isHidden: boolean;
  /** The connection to it broke, and is being made anew. */
  isInterrupted: boolean;
  /** It does not answer, and the room goes on without it until it does. */
  isAway: boolean;
  /** Members with which it does not follow or precede in a lap: the two contradicted each other. */
  readonly separated: Set<Member>;
  /** Why it gets no layers any more; null while it may. */
  excluded: string | null;
}

/** What a part of the host does with the messages of these kinds, which a member sent. */
export type DeviceHandlers<Kind extends DeviceMessage['kind']> = Pick<
  Handlers<DeviceMessage, [from: Member]>,
  Kind
>;

export function newMember(id: string, label: string, link: Link | null): Member {
  return {
    id,
    label,
    link,
    status: { kind: 'connecting' },
    toldStatusAt: performance.now(),
    profile: null,
    links: new Map(),
    layers: [],
    usedBytes: 0,
    bytesLoaded: 0,
    emulation: null,
    isHidden: false,
    isInterrupted: false,
    isAway: false,
    separated: new Set(),
    excluded: null,
  };
}

/** One name for the two, whichever comes first. */
export function pairOf(one: string, other: string): string {
  return [one, other].sort().join(' ');
}

/** For sentences in which devices with one label must be told apart. */
export function nameOf({ label, id }: Pick<Member, 'label' | 'id'>): string {
  return `${label} (${id})`;
}

/** A member as the planner can use it. */
export type MeasuredMember = Member & { profile: DeviceProfile };

/** Members that are measured and there, with their links to every other such member settled. */
export function measuredMembers(members: Iterable<Member>): MeasuredMember[] {
  const ready: MeasuredMember[] = [];
  for (const member of members) {
    if (!isMeasured(member) || member.excluded !== null || member.isAway) continue;
    if (ready.every((earlier) => linkBetween(member, earlier) !== undefined)) ready.push(member);
  }
  return ready;
}

/** Layers that it holds, for a lap or ready for one. */
export function layersHeld({ layers, status }: Member): number[] {
  const ready = status.kind === 'standby' ? status.ready : [];
  return [...layers, ...ready].flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}

/** Whichever of the two measured it. Null where there is no way, undefined while that is not known. */
export function linkBetween(a: Member, b: Member): MeasuredLink | null | undefined {
  if (a.separated.has(b)) return null;
  const ab = a.links.get(b.id);
  return ab === undefined ? b.links.get(a.id) : ab;
}

function isMeasured(member: Member): member is MeasuredMember {
  return member.profile !== null;
}

/** `a`, `b`, … `z`, `aa`, …: the index-th device that joins. */
export function deviceName(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : deviceName(Math.floor(index / 26) - 1) + letter;
}

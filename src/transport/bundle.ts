/**
 * The connections of a link besides its first: for frames sent twice or spread out, and one for large messages.
 * They are agreed on over the first, which is proven, and each proves itself again before it counts. The side
 * that dialled opens and closes them, by what either side has a use for.
 */
import { admit } from './admit.ts';
import { channelsOf } from './channels.ts';
import type { Introduction } from './introduction.ts';
import type { Lane } from './lane.ts';
import type { LinkMessage } from './link-message.ts';
import { negotiate, type Negotiation } from './negotiation.ts';
import type { OpenLinkOptions } from './types.ts';

export type Purpose = 'tokens' | 'bulk';
export type LaneCounts = Record<Purpose, number>;

export interface Bundle {
  /** Those that are open. */
  readonly tokens: readonly Lane[];
  readonly bulk: Lane | null;
  /** What this side has a use for from now on. */
  want(wanted: LaneCounts): void;
  /** What the other side has a use for. */
  otherWants(wanted: LaneCounts): void;
  /** The other side's part of agreeing on a connection. */
  receive(message: Extract<LinkMessage, { kind: 'lane' }>): void;
  /** Resolves when there is a connection for large messages, or none is to be had within so many ms. */
  bulkSettled(deadlineMs: number): Promise<void>;
  /** Ends them all, for now: their network path is as broken as the first's. */
  drop(): void;
  close(): void;
}

export interface BundleOptions {
  introduction: Introduction | null;
  dialled: boolean;
  /** How the first connection was proven; the others must be the same device's. */
  admission: OpenLinkOptions & { expectedFingerprint: string };
  say: (message: LinkMessage) => void;
  makeLane: (connection: RTCPeerConnection, onGone: () => void) => Lane;
  /** A connection is there, or is no more: what it carried may have to be sent again. */
  onChange: (change: 'opened' | 'gone') => void;
}

interface Member {
  purpose: Purpose;
  negotiation: Negotiation;
  ending: AbortController;
  connection: RTCPeerConnection;
  /** Null until it is proven. */
  lane: Lane | null;
}

const maxMembers = 6;
const openDeadlineMs = 8000;
const tryAgainMs = 30_000;
/** A connection that is no longer wanted stays for a while: wants come and go. */
const idleMs = 15_000;

export function createBundle(options: BundleOptions): Bundle {
  const { introduction, dialled, admission, say } = options;
  const members = new Map<number, Member>();
  const settled = new Set<() => void>();
  let mine: LaneCounts = { tokens: 0, bulk: 0 };
  let theirs: LaneCounts = { tokens: 0, bulk: 0 };
  let nextId = 0;
  let tryAgainAt = -Infinity;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  const of = (purpose: Purpose): [number, Member][] =>
    [...members].filter(([, member]) => member.purpose === purpose);
  const lanesOf = (purpose: Purpose): Lane[] =>
    of(purpose).flatMap(([, { lane }]) => (lane?.isOpen === true ? [lane] : []));

  /** Opens what is missing; what is too much is closed once it has been so for a while. */
  function adjust(): void {
    if (!dialled || closed || !introduction) return;
    let idle = false;
    for (const purpose of ['tokens', 'bulk'] as const) {
      const wanted = Math.max(mine[purpose], theirs[purpose]);
      const have = of(purpose).length;
      idle ||= have > wanted;
      if (performance.now() < tryAgainAt) continue;
      for (let count = have; count < wanted && members.size < maxMembers; count++)
        void open(nextId++, purpose);
    }
    if (idle) idleTimer ??= setTimeout(closeIdle, idleMs);
    else stopIdleTimer();
  }

  function stopIdleTimer(): void {
    clearTimeout(idleTimer);
    idleTimer = undefined;
  }

  function closeIdle(): void {
    stopIdleTimer();
    for (const purpose of ['tokens', 'bulk'] as const)
      for (const [id] of of(purpose).slice(Math.max(mine[purpose], theirs[purpose]))) remove(id);
  }

  function begin(id: number, purpose: Purpose, configuration: RTCConfiguration): Member {
    const connection = new RTCPeerConnection(configuration);
    channelsOf(connection);
    const ending = new AbortController();
    const negotiation = negotiate(connection, {
      send: (signal) => say({ kind: 'lane', id, purpose, signal }),
      fingerprint: admission.expectedFingerprint,
      signal: ending.signal,
    });
    const member = { purpose, negotiation, ending, connection, lane: null };
    members.set(id, member);
    return member;
  }

  async function open(id: number, purpose: Purpose): Promise<void> {
    if (!introduction) return;
    const member = begin(id, purpose, introduction.configuration);
    void member.negotiation.offer().catch(() => remove(id));
    await prove(id, member);
  }

  async function prove(id: number, member: Member): Promise<void> {
    try {
      await admit(member.connection, { ...admission, deadlineMs: openDeadlineMs });
    } catch {
      // A further connection only makes the link better; without it the link is as it was.
      tryAgainAt = performance.now() + tryAgainMs;
      remove(id);
      return;
    }
    if (members.get(id) !== member) return;
    member.lane = options.makeLane(member.connection, () => remove(id));
    member.lane.listen();
    options.onChange('opened');
    settle();
  }

  function remove(id: number): void {
    const member = members.get(id);
    if (!member) return;
    members.delete(id);
    member.ending.abort();
    if (member.lane) member.lane.close();
    else member.connection.close();
    if (member.lane && !closed) options.onChange('gone');
    settle();
  }

  function drop(): void {
    for (const id of [...members.keys()]) remove(id);
  }

  function settle(): void {
    for (const resolve of [...settled]) resolve();
  }

  return {
    get tokens() {
      return lanesOf('tokens');
    },
    get bulk() {
      return lanesOf('bulk').at(0) ?? null;
    },
    want(wanted) {
      const changed = wanted.tokens !== mine.tokens || wanted.bulk !== mine.bulk;
      mine = wanted;
      if (changed && !dialled) say({ kind: 'lanes wanted', ...wanted });
      if (changed || of('tokens').length < wanted.tokens || of('bulk').length < wanted.bulk)
        adjust();
    },
    otherWants(wanted) {
      theirs = wanted;
      adjust();
    },
    receive({ id, purpose, signal }) {
      if (closed || !introduction) return;
      let member = members.get(id);
      if (!member && !dialled && signal.kind === 'offer' && members.size < maxMembers) {
        member = begin(id, purpose, introduction.configuration);
        void prove(id, member);
      }
      member?.negotiation.receive(signal);
    },
    bulkSettled(deadlineMs) {
      return new Promise((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          settled.delete(finish);
          resolve();
        };
        const timer = setTimeout(finish, deadlineMs);
        settled.add(finish);
      });
    },
    drop,
    close() {
      closed = true;
      stopIdleTimer();
      drop();
      settle();
    },
  };
}

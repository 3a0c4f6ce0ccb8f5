/**
 * The connections of a link besides its first: for frames sent twice or spread out, and one for large messages.
 * They are agreed on over the first, which is proven. The side that dialled opens and closes them, by what either
 * side has a use for.
 */
import { createBundleMembers, type Purpose } from './bundle-members.ts';
import type { Lane } from './lane.ts';
import type { LinkMessage } from './link-message.ts';
import type { LinkOrigin } from './link-origin.ts';

export type LaneCounts = Record<Purpose, number>;

export interface Bundle {
  /** Those that are open. */
  readonly tokens: readonly Lane[];
  readonly bulk: Lane | null;
  /** Whether connections for frames are still on their way. */
  readonly isGrowing: boolean;
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
  origin: LinkOrigin;
  say: (message: LinkMessage) => void;
  makeLane: (connection: RTCPeerConnection, onGone: () => void) => Lane;
  /** A connection is there, or is no more: what it carried may have to be sent again. */
  onChange: (change: 'opened' | 'gone') => void;
}

const purposes = ['tokens', 'bulk'] as const;
/** A connection that is no longer wanted stays for a while: wants come and go. */
const idleMs = 15_000;

export function createBundle({ origin, say, makeLane, onChange }: BundleOptions): Bundle {
  const { introduction, dialled } = origin;
  const settled = new Set<() => void>();
  let mine: LaneCounts = { tokens: 0, bulk: 0 };
  let theirs: LaneCounts = { tokens: 0, bulk: 0 };
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const members = createBundleMembers({
    origin,
    say,
    makeLane,
    onChange(change) {
      if (change !== 'failed' && !closed) onChange(change);
      settle();
    },
  });

  const wantedOf = (purpose: Purpose): number => Math.max(mine[purpose], theirs[purpose]);

  /** Opens what is missing; what is too much is closed once it has been so for a while. */
  function adjust(): void {
    if (!dialled || closed || !introduction) return;
    let idle = false;
    for (const purpose of purposes) {
      const have = members.ids(purpose).length;
      idle ||= have > wantedOf(purpose);
      if (!members.canOpen) continue;
      for (let count = have; count < wantedOf(purpose) && !members.isFull; count++)
        members.open(purpose);
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
    for (const purpose of purposes)
      for (const id of members.ids(purpose).slice(wantedOf(purpose))) members.remove(id);
  }

  function settle(): void {
    for (const resolve of [...settled]) resolve();
  }

  return {
    get tokens() {
      return members.lanes('tokens');
    },
    get bulk() {
      return members.lanes('bulk').at(0) ?? null;
    },
    get isGrowing() {
      return members.lanes('tokens').length < members.ids('tokens').length;
    },
    want(wanted) {
      const changed = wanted.tokens !== mine.tokens || wanted.bulk !== mine.bulk;
      mine = wanted;
      if (changed && !dialled) say({ kind: 'lanes wanted', ...wanted });
      const isMissing = purposes.some((purpose) => members.ids(purpose).length < wanted[purpose]);
      if (changed || isMissing) adjust();
    },
    otherWants({ tokens, bulk }) {
      theirs = { tokens, bulk };
      adjust();
    },
    receive(message) {
      if (!closed) members.receive(message);
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
    drop: () => members.removeAll(),
    close() {
      closed = true;
      stopIdleTimer();
      members.removeAll();
      settle();
    },
  };
}

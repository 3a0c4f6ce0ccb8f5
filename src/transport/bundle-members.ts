/** The further connections of a link, each from the first word about it to its end. Each proves itself before it counts. */
import { admit } from './admit.ts';
import { channelsOf } from './channels.ts';
import type { Introduction } from './introduction.ts';
import type { Lane } from './lane.ts';
import type { LinkMessage } from './link-message.ts';
import type { LinkOrigin } from './link-origin.ts';
import { negotiate, type Negotiation } from './negotiation.ts';

export type Purpose = 'tokens' | 'bulk';

export interface BundleMembers {
  readonly isFull: boolean;
  /** Whether connections can be made at all, and none failed just now. */
  readonly canOpen: boolean;
  /** Their ids, those that are not proven yet among them; the oldest first. */
  ids(purpose: Purpose): number[];
  /** Those that are open. */
  lanes(purpose: Purpose): Lane[];
  open(purpose: Purpose): void;
  /** The other side's part of agreeing on a connection, which it may begin. */
  receive(message: Extract<LinkMessage, { kind: 'lane' }>): void;
  remove(id: number): void;
  removeAll(): void;
}

export interface BundleMembersOptions {
  origin: LinkOrigin;
  say: (message: LinkMessage) => void;
  makeLane: (connection: RTCPeerConnection, onGone: () => void) => Lane;
  /** A connection is proven, is no more, or never came about. */
  onChange: (change: 'opened' | 'gone' | 'failed') => void;
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

export function createBundleMembers(options: BundleMembersOptions): BundleMembers {
  const { say } = options;
  const { introduction, dialled, admission } = options.origin;
  const members = new Map<number, Member>();
  let nextId = 0;
  let tryAgainAt = -Infinity;

  const of = (purpose: Purpose): [number, Member][] =>
    [...members].filter(([, member]) => member.purpose === purpose);

  function begin(id: number, purpose: Purpose, { configuration }: Introduction): Member {
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
  }

  function remove(id: number): void {
    const member = members.get(id);
    if (!member) return;
    members.delete(id);
    member.ending.abort();
    if (member.lane) member.lane.close();
    else member.connection.close();
    options.onChange(member.lane ? 'gone' : 'failed');
  }

  return {
    get isFull() {
      return members.size >= maxMembers;
    },
    get canOpen() {
      return introduction !== null && performance.now() >= tryAgainAt;
    },
    ids: (purpose) => of(purpose).map(([id]) => id),
    lanes: (purpose) =>
      of(purpose).flatMap(([, { lane }]) => (lane?.isOpen === true ? [lane] : [])),
    open(purpose) {
      if (!introduction) return;
      const id = nextId++;
      const member = begin(id, purpose, introduction);
      void member.negotiation.offer().catch(() => remove(id));
      void prove(id, member);
    },
    receive({ id, purpose, signal }) {
      if (!introduction) return;
      let member = members.get(id);
      if (!member && !dialled && signal.kind === 'offer' && members.size < maxMembers) {
        member = begin(id, purpose, introduction);
        void prove(id, member);
      }
      member?.negotiation.receive(signal);
    },
    remove,
    removeAll() {
      for (const id of [...members.keys()]) remove(id);
    },
  };
}

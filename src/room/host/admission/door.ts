/**
 * The room's door. A device that has proven the key is let in, waits for the host's word, or is turned away. The door knows
 * devices by their certificates, which nobody else can show. A device that was let in before comes in without asking.
 */
import { pairCode, type Link } from '../../../transport/index.ts';
import { dropOldest } from '../../../base/drop-oldest.ts';
import type { DoorMode, DoorView } from '../../view.ts';
import type { HostMessage } from '../../protocol/index.ts';

/** What the door remembers when the host's page is loaded anew. */
export interface DoorRecord {
  mode: DoorMode;
  /** Certificates' fingerprints of devices that were let in, and of devices that were removed. */
  known: string[];
  banned: string[];
}

export interface Visitor {
  link: Pick<Link, 'fingerprint' | 'sendControl' | 'close' | 'onClosed'>;
  label: string;
  /** Makes it a device of the room. */
  enter: () => void;
}

export interface Door {
  readonly record: DoorRecord;
  isKnown(fingerprint: string): boolean;
  isBanned(fingerprint: string): boolean;
  /** A device that has proven the key and said what it is. */
  knock(visitor: Visitor): void;
  /** The host's word on somebody who waits. */
  decide(knockId: number, isAllowed: boolean): void;
  /** An opened door lets in those who wait; a locked one turns them away. */
  setMode(mode: DoorMode): void;
  /** Never again in this room. The caller ends its link. */
  ban(fingerprint: string): void;
}

export interface DoorOptions {
  record: DoorRecord;
  /** Of the host's own certificate. */
  fingerprint: string;
  onView: (view: DoorView) => void;
}

/** Nobody decides about more at a time: then somebody who has the key plays with it. */
const mostWaiting = 16;
/** Of each kind; far more than a room holds in its life. */
const mostRemembered = 512;

export const removedSentence = 'The host removed this device from the room.';
const lockedSentence = 'The room is locked: ask the host to open it for new devices.';
const refusedSentence = 'The host did not let this device in.';
const crowdedSentence = 'Too many devices wait at the door: try again in a moment.';

interface Knock extends Visitor {
  id: number;
  code: string;
}

export function createDoor(options: DoorOptions): Door {
  let { mode } = options.record;
  const known = new Set(options.record.known);
  const banned = new Set(options.record.banned);
  const waiting = new Map<number, Knock>();
  let lastKnock = 0;

  function show(): void {
    const knocks = [...waiting.values()].map(({ id, label, code }) => ({ id, label, code }));
    options.onView({ mode, knocks });
  }

  function letIn({ link, enter }: Visitor): void {
    remember(known, link.fingerprint);
    enter();
  }

  async function wait(visitor: Visitor): Promise<void> {
    const { link } = visitor;
    const id = ++lastKnock;
    const gone = new AbortController();
    link.onClosed(() => {
      gone.abort();
      if (waiting.delete(id)) show();
    });
    const code = await pairCode(options.fingerprint, link.fingerprint);
    if (gone.signal.aborted) return;
    // Only a device's last knock counts: its page may have been loaded anew.
    for (const [earlier, { link: old }] of waiting)
      if (old.fingerprint === link.fingerprint) {
        waiting.delete(earlier);
        old.close('connected anew');
      }
    // The mode may be another by now, and the line full.
    if (mode !== 'approve') receive(visitor);
    else if (waiting.size >= mostWaiting) turnAway(link, crowdedSentence);
    else {
      waiting.set(id, { ...visitor, id, code });
      link.sendControl({ kind: 'knocking' } satisfies HostMessage);
      show();
    }
  }

  function receive(visitor: Visitor): void {
    const { link } = visitor;
    if (banned.has(link.fingerprint)) turnAway(link, removedSentence);
    else if (mode === 'open' || known.has(link.fingerprint)) letIn(visitor);
    else if (mode === 'approve') void wait(visitor);
    else turnAway(link, lockedSentence);
  }

  show();
  return {
    get record() {
      return { mode, known: [...known], banned: [...banned] };
    },
    isKnown: (fingerprint) => known.has(fingerprint),
    isBanned: (fingerprint) => banned.has(fingerprint),
    knock: receive,
    decide(knockId, isAllowed) {
      const knock = waiting.get(knockId);
      if (!knock) return;
      waiting.delete(knockId);
      if (isAllowed) letIn(knock);
      else turnAway(knock.link, refusedSentence);
      show();
    },
    setMode(next) {
      mode = next;
      const held = mode === 'approve' ? [] : [...waiting.values()];
      if (held.length > 0) waiting.clear();
      for (const knock of held) receive(knock);
      show();
    },
    ban(fingerprint) {
      known.delete(fingerprint);
      remember(banned, fingerprint);
      show();
    },
  };
}

/** Says for good that there is no place here, and ends the link. */
export function turnAway(link: Pick<Link, 'sendControl' | 'close'>, reason: string): void {
  link.sendControl({ kind: 'ended', reason } satisfies HostMessage);
  link.close(reason);
}

/** The oldest are forgotten first. */
function remember(set: Set<string>, fingerprint: string): void {
  set.delete(fingerprint);
  set.add(fingerprint);
  dropOldest(set, mostRemembered);
}

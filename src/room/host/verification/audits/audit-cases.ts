/**
 * Decides the cases of the audits, one after the other. A device with nothing else to do computes the work again, or the
 * host does while nobody waits for an answer. If that device comes to another result, the host has the last word.
 */
import { hasRoomForLayer, type Member } from '../../membership/index.ts';
import type { Job } from '../../../compute/index.ts';
import type { Recomputing } from '../recomputing.ts';
import { type AuditCase, canRepeat, caseAgainst, isRight, wrongWork } from './audit-case.ts';

export interface AuditVerdicts {
  /** The member's work was wrong; a sentence. */
  onWrong: (member: Member, reason: string) => void;
  /** The same on a device's word alone, where the host cannot look itself. */
  onAccused: (accuser: Member, accused: Member, reason: string) => void;
}

export interface AuditCasesOptions {
  members: ReadonlyMap<string, Member>;
  recomputing: Pick<Recomputing, 'onDevice' | 'onHost' | 'keeps'>;
  verdicts: AuditVerdicts;
  fetchPauseMs: number;
}

export interface AuditCases {
  open(opened: AuditCase): void;
  /** How many answers are in flight: the host computes for this only while there is none. */
  onInFlight(count: number): void;
  /** Settles when nothing more can be looked at now. */
  settled(): Promise<void>;
}

const mostWaiting = 4;

export function createAuditCases(options: AuditCasesOptions): AuditCases {
  const { members, recomputing, verdicts } = options;
  let cases: AuditCase[] = [];
  let inFlight = 0;
  let hostWork: AbortController | null = null;
  let working: Promise<void> | null = null;
  /** Something changed while cases were gone through. */
  let isOwed = false;

  function work(): void {
    isOwed = working !== null;
    working ??= workThrough().finally(() => {
      working = null;
      if (isOwed) work();
    });
  }

  async function workThrough(): Promise<void> {
    for (const open of [...cases]) {
      if (!members.has(open.suspect.id)) cases = cases.filter((other) => other !== open);
      else if (await looked(open)) cases = cases.filter((other) => other !== open);
    }
  }

  /** False while nobody has time for it. */
  async function looked(open: AuditCase): Promise<boolean> {
    const standby = open.accuser ? undefined : standbyFor(open);
    if (standby) {
      const result = await recomputing.onDevice(standby.id, open.job);
      if (!result || isRight(open, result)) return true;
      open.accuser = { member: standby, result };
    }
    if (inFlight > 0) return false;
    hostWork = new AbortController();
    const { signal } = hostWork;
    const hostResult = await computeHere(open.job, signal).catch(() => null);
    hostWork = null;
    if (hostResult) judge(open, hostResult);
    else if (signal.aborted) return false;
    else if (open.accuser) verdicts.onAccused(open.accuser.member, open.suspect, wrongWork(open));
    return true;
  }

  async function computeHere(job: Job, signal: AbortSignal): Promise<Float32Array> {
    const host = members.get('host');
    if (!host || !canRepeat(host, job)) throw new Error('The host computes with other rounding.');
    if (!recomputing.keeps('host', job)) await pause(options.fetchPauseMs, signal);
    return recomputing.onHost(job, signal);
  }

  function judge(open: AuditCase, hostResult: Float32Array): void {
    if (!isRight(open, hostResult)) verdicts.onWrong(open.suspect, wrongWork(open));
    if (!open.accuser) return;
    const { member, result } = open.accuser;
    if (!isRight(caseAgainst(open, result), hostResult)) verdicts.onWrong(member, wrongWork(open));
  }

  function standbyFor({ involved, job }: AuditCase): Member | undefined {
    return [...members.values()].find(
      (member) =>
        member.link !== null &&
        member.excluded === null &&
        !involved.has(member.id) &&
        canRepeat(member, job) &&
        recomputing.keeps(member.id, job) &&
        member.profile !== null &&
        hasRoomForLayer(member.profile, member.usedBytes),
    );
  }

  return {
    open(opened) {
      cases = [...cases, opened].slice(-mostWaiting);
      work();
    },
    onInFlight(count) {
      inFlight = count;
      if (count > 0) hostWork?.abort();
      else if (cases.length > 0) work();
    },
    async settled() {
      while (working) await working;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new Error('somebody asks something'));
    });
  });
}

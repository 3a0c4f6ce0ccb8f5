/**
 * Reports failed work to the host. A sequence is reported once, since what follows fails for the same reason. The
 * reports about one sender are limited, since a device may send wrong frames only to have them reported.
 */
import { errorMessage } from '../../base/error-message.ts';
import { isNotCached } from '../../engine/not-cached.ts';
import { createAllowance, type Allowance, type AllowanceOptions } from '../../transport/index.ts';
import { dropOldest } from '../../base/drop-oldest.ts';
import type { Work } from './work/index.ts';

/** A device's own, of the hidden state that it was sent, or of what it was asked to do. */
export type Fault = 'own' | 'state' | 'request';

export interface StageFailure {
  planVersion: number;
  sequence: number;
  reason: string;
  fault: Fault;
  /** The device whose fault it is; null where it is this one's own. */
  blames: string | null;
}

export interface FailureReports {
  /** Throws one sentence where that device has sent too much that was wrong. */
  hear(from: string): void;
  /** What the work's sender sent, or asked for, was wrong. */
  blame(from: string, work: FailedWork, fault: Exclude<Fault, 'own'>, reason: string): void;
  /** The work could not be done. */
  failed(work: Work, error: unknown): void;
  /** The sequence is over: its number may be reported again. */
  release(sequence: number): void;
}

export type FailedWork = Pick<Work, 'lap' | 'sequence'>;

/** As many answers as a lap has may fail together; a device that goes on like that is not heard. */
const defaultAllowance = { burst: 32, perSecond: 1 };
/** Sequences that were reported and are not over yet, or never existed. */
const mostKept = 256;

export function createFailureReports(
  onFailure: (failure: StageFailure) => void,
  reportAllowance: AllowanceOptions = defaultAllowance,
): FailureReports {
  const allowances = new Map<string, Allowance>();
  /** Lap and sequence. */
  const told = new Map<string, number>();
  const unheard = new Set<string>();

  function mayTell(from: string, name: string, sequence: number): boolean {
    const allowance = allowances.get(from) ?? createAllowance(reportAllowance);
    allowances.set(from, allowance);
    if (!allowance.take(1)) unheard.add(from);
    if (unheard.has(from) || told.has(name)) return false;
    told.set(name, sequence);
    dropOldest(told, mostKept);
    return true;
  }

  function blame(
    from: string,
    { lap: { planVersion }, sequence }: FailedWork,
    fault: Fault,
    reason: string,
  ): void {
    if (mayTell(from, `${planVersion} ${sequence}`, sequence))
      onFailure({ planVersion, sequence, reason, fault, blames: from });
  }

  return {
    hear(from) {
      if (unheard.has(from)) throw new Error(`${from} sent one wrong frame after the other`);
    },
    blame,
    failed(work, error) {
      const reason = errorMessage(error);
      const { lap, sequence, from } = work;
      if (from !== null && isNotCached(error)) blame(from, work, 'request', reason);
      else
        onFailure({ planVersion: lap.planVersion, sequence, reason, fault: 'own', blames: null });
    },
    release(sequence) {
      for (const [name, of] of told) if (of === sequence) told.delete(name);
    },
  };
}

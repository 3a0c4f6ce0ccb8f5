/**
 * Audits: of some answers the work of one stage is computed again elsewhere and compared. No token waits for it. Each
 * device is looked at once, and after that some device in a share of the answers.
 */
import type { LapRunner } from '../../decoding/index.ts';
import type { Member } from '../../membership/index.ts';
import type { AuditCase } from './audit-case.ts';
import {
  type AuditCasesOptions,
  type AuditCases,
  type AuditVerdicts,
  createAuditCases,
} from './audit-cases.ts';
import {
  type AuditSamples,
  type AuditSamplesOptions,
  createAuditSamples,
} from './audit-samples.ts';

export interface AuditsOptions
  extends
    Omit<AuditSamplesOptions, 'onCase' | 'random' | 'timesLookedAt'>,
    Omit<AuditCasesOptions, 'fetchPauseMs'> {
  random?: () => number;
  fetchPauseMs?: number;
}

export interface Audits
  extends Pick<AuditSamples, 'onSeen'>, Pick<AuditCases, 'onInFlight' | 'settled'> {
  /** The same laps, some of them watched. */
  watching(laps: LapRunner): LapRunner;
}

/** Layers are fetched for this once nobody has asked anything for so long: others may want the network. */
const defaultFetchPauseMs = 15_000;

export function createAudits(options: AuditsOptions): Audits {
  const { random = Math.random, fetchPauseMs = defaultFetchPauseMs } = options;
  const timesLookedAt = new WeakMap<Member, number>();
  const verdicts: AuditVerdicts = {
    onWrong(member, reason) {
      // It is the next to be looked at, should it get layers again.
      timesLookedAt.delete(member);
      options.verdicts.onWrong(member, reason);
    },
    onAccused: options.verdicts.onAccused,
  };
  const cases = createAuditCases({ ...options, verdicts, fetchPauseMs });
  const onCase = (opened: AuditCase): void => cases.open(opened);
  const samples = createAuditSamples({ ...options, timesLookedAt, onCase, random });

  return {
    watching: (laps) => ({
      ...laps,
      async run(running, trip) {
        if (trip.position === 0) samples.begin(running.lap, trip.sequence);
        const result = await laps.run(running, trip);
        samples.lapEnded(trip.sequence);
        return result;
      },
    }),
    onSeen: (from, header, body) => samples.onSeen(from, header, body),
    onInFlight: (count) => cases.onInFlight(count),
    settled: () => cases.settled(),
  };
}

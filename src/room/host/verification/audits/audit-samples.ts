/**
 * Which stages are looked at, and what their neighbours saw. One stage of a lap is chosen when an answer begins. Its two
 * neighbours keep what crosses for a few laps, and then show it.
 */
import { dropOldest } from '../../../../base/drop-oldest.ts';
import type { Lap } from '../../../lap.ts';
import type { WireType } from '../../../room.ts';
import {
  type BulkHeader,
  type BulkMessage,
  bytesPerNumber,
  type HostMessage,
  mostPositions,
} from '../../../protocol/index.ts';
import { type Boundary, type BoundaryTap, mostWatches, type Seen } from '../../../stage/index.ts';
import type { Member } from '../../membership/index.ts';
import { type AuditCase, caseOf, isLookable, type WatchedStage } from './audit-case.ts';

export interface AuditSamplesOptions {
  members: ReadonlyMap<string, Member>;
  hiddenSize: number;
  wire: WireType;
  /** Of what crosses at the host. */
  boundaryTap: BoundaryTap;
  tell: (deviceId: string, message: HostMessage) => void;
  timesLookedAt: Pick<WeakMap<Member, number>, 'get' | 'set'>;
  onCase: (opened: AuditCase) => void;
  random: () => number;
}

export interface AuditSamples {
  /** An answer begins on the lap. */
  begin(lap: Lap, sequence: number): void;
  /** One of its laps came round. */
  lapEnded(sequence: number): void;
  /** What a neighbour has seen; throws one sentence for what no honest device says. */
  onSeen(
    from: string,
    header: Extract<BulkHeader, { kind: 'boundary-states' }>,
    body: BulkMessage['body'],
  ): void;
}

/** Until the prompt is read and a few tokens have followed. */
const lapsWatched = 5;
/** Of the answers that begin, once every device has been looked at. */
const watchedShare = 0.25;

interface Sample extends Boundary, WatchedStage {
  laps: number;
  into: Seen | null;
  outOf: Seen | null;
}

export function createAuditSamples(options: AuditSamplesOptions): AuditSamples {
  const { members, hiddenSize, wire, boundaryTap, timesLookedAt, random } = options;
  const samples = new Map<number, Sample>();

  /** The stage of the device that was looked at least often. Null where all have been, and this answer is left out. */
  function chosenStage({ stages }: Lap): number | null {
    let chosen: number | null = null;
    let least = Infinity;
    for (const [stage, { device }] of stages.entries()) {
      const member = members.get(device);
      const times = member && isLookable(member) ? (timesLookedAt.get(member) ?? 0) : Infinity;
      if (times < least) [chosen, least] = [stage, times];
    }
    return least > 0 && random() >= watchedShare ? null : chosen;
  }

  function collect(sample: Sample): void {
    for (const [device, boundary] of boundariesOf(sample))
      if (device === 'host') take(sample, boundary.stage, boundaryTap.take(boundary));
      else options.tell(device, { kind: 'report-boundary', ...boundary });
  }

  function take(sample: Sample, stage: number, seen: Seen | null): void {
    if (!seen) samples.delete(sample.sequence);
    else if (stage === sample.stage) sample.into = seen;
    else sample.outOf = seen;
    const { suspect, into, outOf } = sample;
    if (!into || !outOf) return;
    samples.delete(sample.sequence);
    const opened = caseOf(sample, { into, outOf }, { hiddenSize, wire });
    if (!opened) return;
    timesLookedAt.set(suspect, (timesLookedAt.get(suspect) ?? 0) + 1);
    options.onCase(opened);
  }

  return {
    begin(lap, sequence) {
      const stage = chosenStage(lap);
      if (stage === null) return;
      const suspect = members.get(lap.stages[stage].device);
      if (!suspect) return;
      const { planVersion } = lap;
      const watched = { planVersion, sequence, stage, lap, suspect };
      const sample: Sample = { ...watched, laps: 0, into: null, outOf: null };
      samples.set(sequence, sample);
      // An answer that ends early is never taken out, and its neighbours have forgotten it by then.
      dropOldest(samples, mostWatches);
      for (const [device, boundary] of boundariesOf(sample))
        if (device === 'host') boundaryTap.watch(boundary);
        else options.tell(device, { kind: 'tap-boundary', ...boundary });
    },
    lapEnded(sequence) {
      const sample = samples.get(sequence);
      if (sample && ++sample.laps === lapsWatched) collect(sample);
    },
    onSeen(from, { planVersion, sequence, stage, positions }, payload) {
      const sample = samples.get(sequence);
      const asked = sample && boundariesOf(sample).find(([, boundary]) => boundary.stage === stage);
      // What was not asked for, or comes too late, is ignored.
      if (!sample || sample.planVersion !== planVersion || asked?.[0] !== from) return;
      const count = payload.length / (hiddenSize * bytesPerNumber[wire]);
      if (positions.length === 0) samples.delete(sequence);
      else if (positions.length !== count || !isAscending(positions))
        throw new Error(`${from} says it saw ${positions.length} positions, and shows ${count}`);
      else take(sample, stage, { positions, payload });
    },
  };
}

/** The two ends of a stage, and who sees what crosses there. */
function boundariesOf({ lap, planVersion, sequence, stage }: Sample): [string, Boundary][] {
  return [
    [lap.stages[stage - 1].device, { planVersion, sequence, stage }],
    [lap.stages[stage + 1].device, { planVersion, sequence, stage: stage + 1 }],
  ];
}

function isAscending(positions: readonly number[]): boolean {
  return (
    positions.length <= mostPositions &&
    positions.every((position, index) => index === 0 || position > positions[index - 1])
  );
}

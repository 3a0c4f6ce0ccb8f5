/** One stage's work on one answer, with what went in and what came out, and how it is told right from wrong. */
import type { Lap } from '../../../lap.ts';
import type { WireType } from '../../../room.ts';
import {
  deviationOf,
  isWithin,
  type Job,
  limitOf,
  piecesAreExact,
} from '../../../compute/index.ts';
import { unpackHidden, wireCode } from '../../../protocol/index.ts';
import type { Seen } from '../../../stage/index.ts';
import type { Member } from '../../membership/index.ts';

export interface AuditCase {
  suspect: Member;
  job: Job;
  hiddenSize: number;
  /** What came out of the stage, and where in the job's positions. */
  output: { index: number; values: Float32Array }[];
  /** Devices that took part in the lap. None of them may judge another. */
  involved: ReadonlySet<string>;
  /** Who said that it was wrong, and what it computed itself. */
  accuser: { member: Member; result: Float32Array } | null;
}

export interface WatchedStage {
  lap: Lap;
  stage: number;
  suspect: Member;
}

/** What the neighbours of the stage have seen; null where that is not enough. */
export function caseOf(
  { lap, stage, suspect }: WatchedStage,
  seen: { into: Seen; outOf: Seen },
  { hiddenSize, wire }: { hiddenSize: number; wire: WireType },
): AuditCase | null {
  const { into, outOf } = seen;
  const valuesOf = ({ payload }: Seen): Float32Array =>
    unpackHidden(payload, wireCode(wire), wire, hiddenSize).values;
  const whole = into.positions.findIndex((position, index) => position !== index);
  const known = whole === -1 ? into.positions.length : whole;
  const wanted = outOf.positions.filter((position) => position < known);
  const weights = suspect.profile?.compute.weights;
  if (wanted.length === 0 || weights === undefined) return null;
  const positions = wanted[wanted.length - 1] + 1;
  const { first, last } = lap.stages[stage];
  const output = valuesOf(outOf);
  return {
    suspect,
    job: { first, last, weights, input: valuesOf(into).slice(0, positions * hiddenSize) },
    hiddenSize,
    output: wanted.map((index, place) => ({
      index,
      values: output.slice(place * hiddenSize, (place + 1) * hiddenSize),
    })),
    involved: new Set(lap.stages.map(({ device }) => device)),
    accuser: null,
  };
}

/** Whether what came out of the stage is what another computation of the job came to. */
export function isRight(
  { job, hiddenSize, output }: Pick<AuditCase, 'job' | 'hiddenSize' | 'output'>,
  result: Float32Array,
): boolean {
  return output.every(({ index, values }) => {
    const computed = stateAt(result, index, hiddenSize);
    const input = stateAt(job.input, index, hiddenSize);
    return isWithin(deviationOf(values, computed, input, hiddenSize), limitOf(job.weights));
  });
}

/** The same case with what the accuser computed in place of what came out of the stage. */
export function caseAgainst(open: AuditCase, claimed: Float32Array): AuditCase {
  const { hiddenSize } = open;
  const output = open.output.map(({ index }) => ({
    index,
    values: stateAt(claimed, index, hiddenSize),
  }));
  return { ...open, output };
}

/** Whether the work of these weights comes out the same on this device. */
export function canRepeat({ profile }: Member, { weights }: Job): boolean {
  return profile !== null && piecesAreExact(profile.compute.backend, weights);
}

/** Int8 on wasm gives another result in each run, so nobody can tell right from wrong. */
export function isLookable({ link, profile }: Member): boolean {
  return (
    link !== null &&
    profile !== null &&
    piecesAreExact(profile.compute.backend, profile.compute.weights)
  );
}

export function wrongWork({ job: { first, last } }: AuditCase): string {
  const blocks = first === last ? `block ${first}` : `blocks ${first} to ${last}`;
  return `Its result for ${blocks} differs from that of other devices.`;
}

function stateAt(states: Float32Array, index: number, hiddenSize: number): Float32Array {
  return states.subarray(index * hiddenSize, (index + 1) * hiddenSize);
}

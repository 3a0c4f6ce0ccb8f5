import { dropOldest } from '../../../base/drop-oldest.ts';
import type { Lap } from '../../lap.ts';
import type { WireType } from '../../room.ts';
import {
  type BulkHeader,
  type BulkMessage,
  type HostMessage,
  mostPositions,
  unpackHidden,
  wireCode,
} from '../../protocol/index.ts';
import { deviationOf, isWithin, type Job, limitOf, piecesAreExact } from '../../compute/index.ts';
import { type Boundary, type BoundaryTap, mostWatches, type Seen } from '../../stage/index.ts';
import type { LapRunner } from '../decoding/index.ts';
import { hasRoomForLayer, type Member } from '../membership/index.ts';

export interface AuditsOptions {
  members: ReadonlyMap<string, Member>;
  hiddenSize: number;
  wire: WireType;
  /** Of what crosses at the host. */
  boundaryTap: BoundaryTap;
  tell: (deviceId: string, message: HostMessage) => void;
  /** Has a device compute; null where it does not answer in good time, which is no offence. */
  askDevice: (deviceId: string, job: Job) => Promise<Float32Array | null>;
  /** Has the host compute; rejects where it cannot, or must not go on. */
  askHost: (job: Job, signal: AbortSignal) => Promise<Float32Array>;
  /** Whether the device has the bytes of the job's layers, and need not fetch them first. */
  keeps: (deviceId: string, job: Job) => boolean;
  /** The member's work was wrong; a sentence. */
  onWrong: (member: Member, reason: string) => void;
  /** The same on a device's word alone, where the host cannot look itself. */
  onAccused: (accuser: Member, accused: Member, reason: string) => void;
  random?: () => number;
  fetchPauseMs?: number;
}

export interface Audits {
  /** The same laps, some of them watched. */
  watching(laps: LapRunner): LapRunner;
  /** What a neighbour has seen. */
  onSeen(
    from: string,
    header: Extract<BulkHeader, { kind: 'boundary-states' }>,
    body: BulkMessage['body'],
  ): void;
  /** How many answers are in flight: the host computes for this only while there is none. */
  onInFlight(count: number): void;
  /** Settles when nothing more can be looked at now. */
  settled(): Promise<void>;
}

/** Until the prompt is read and a few tokens have followed. */
const lapsWatched = 5;
/** Of the answers that begin, once every device has been looked at. */
const watchedShare = 0.25;
const mostWaiting = 4;
/** Layers are fetched for this once nobody has asked anything for so long: others may want the network. */
const defaultFetchPauseMs = 15_000;

interface Sample extends Boundary {
  lap: Lap;
  suspect: Member;
  laps: number;
  into: Seen | null;
  outOf: Seen | null;
}

interface Case {
  suspect: Member;
  job: Job;
  /** What came out of the stage, and where in the job's positions. */
  output: { index: number; values: Float32Array }[];
  /** Devices that took part in the lap: one of them must not judge another. */
  involved: ReadonlySet<string>;
  /** Who said that it was wrong, and what it computed itself. */
  accuser: { member: Member; result: Float32Array } | null;
}

export function createAudits(options: AuditsOptions): Audits {
  const { members, hiddenSize, wire, boundaryTap } = options;
  const { random = Math.random, fetchPauseMs = defaultFetchPauseMs } = options;
  const samples = new Map<number, Sample>();
  const timesLookedAt = new WeakMap<Member, number>();
  let cases: Case[] = [];
  let inFlight = 0;
  let hostWork: AbortController | null = null;
  let working: Promise<void> | null = null;
  /** Something changed while cases were gone through. */
  let isOwed = false;

  function begin(lap: Lap, sequence: number): void {
    const stage = chosenStage(lap);
    if (stage === null) return;
    const suspect = members.get(lap.stages[stage].device);
    if (!suspect) return;
    const { planVersion } = lap;
    const sample = { planVersion, sequence, stage, lap, suspect, laps: 0, into: null, outOf: null };
    samples.set(sequence, sample);
    // An answer that ended before it was watched long enough is never taken out; its neighbours have forgotten it.
    dropOldest(samples, mostWatches);
    for (const [device, boundary] of boundariesOf(sample))
      if (device === 'host') boundaryTap.watch(boundary);
      else options.tell(device, { kind: 'tap-boundary', ...boundary });
  }

  /** The one that has been looked at least; none where all have, and it is not their turn again. */
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
    if (!sample.into || !sample.outOf) return;
    samples.delete(sample.sequence);
    const opened = caseOf(sample, sample.into, sample.outOf);
    if (!opened) return;
    timesLookedAt.set(sample.suspect, (timesLookedAt.get(sample.suspect) ?? 0) + 1);
    cases = [...cases, opened].slice(-mostWaiting);
    work();
  }

  /** Null where the neighbours have not seen enough. */
  function caseOf({ lap, stage, suspect }: Sample, into: Seen, outOf: Seen): Case | null {
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
      output: wanted.map((index, place) => ({
        index,
        values: output.slice(place * hiddenSize, (place + 1) * hiddenSize),
      })),
      involved: new Set(lap.stages.map(({ device }) => device)),
      accuser: null,
    };
  }

  function valuesOf({ payload }: Seen): Float32Array {
    return unpackHidden(payload, wireCode(wire), wire, hiddenSize).values;
  }

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

  /** False where nobody has the time now. */
  async function looked(open: Case): Promise<boolean> {
    const standby = open.accuser ? undefined : standbyFor(open);
    if (standby) {
      const result = await options.askDevice(standby.id, open.job);
      if (!result || isRight(open, result)) return true;
      open.accuser = { member: standby, result };
    }
    if (inFlight > 0) return false;
    hostWork = new AbortController();
    const { signal } = hostWork;
    const own = await computeHere(open.job, signal).catch(() => null);
    hostWork = null;
    if (own) judge(open, own);
    else if (signal.aborted) return false;
    else if (open.accuser) options.onAccused(open.accuser.member, open.suspect, wrongWork(open));
    return true;
  }

  async function computeHere(job: Job, signal: AbortSignal): Promise<Float32Array> {
    const host = members.get('host');
    if (!host || !canRepeat(host, job)) throw new Error('The host computes with other rounding.');
    if (!options.keeps('host', job)) await pause(fetchPauseMs, signal);
    return options.askHost(job, signal);
  }

  function judge(open: Case, own: Float32Array): void {
    if (!isRight(open, own)) found(open.suspect, open);
    if (!open.accuser) return;
    const { member, result } = open.accuser;
    const claimed = open.output.map(({ index }) => ({ index, values: stateAt(result, index) }));
    if (!isRight({ ...open, output: claimed }, own)) found(member, open);
  }

  /** It is the next to be looked at, should it get layers again. */
  function found(member: Member, open: Case): void {
    timesLookedAt.delete(member);
    options.onWrong(member, wrongWork(open));
  }

  function isRight({ job, output }: Case, result: Float32Array): boolean {
    return output.every(({ index, values }) => {
      const [computed, input] = [stateAt(result, index), stateAt(job.input, index)];
      return isWithin(deviationOf(values, computed, input, hiddenSize), limitOf(job.weights));
    });
  }

  function stateAt(states: Float32Array, index: number): Float32Array {
    return states.subarray(index * hiddenSize, (index + 1) * hiddenSize);
  }

  function standbyFor({ involved, job }: Case): Member | undefined {
    return [...members.values()].find(
      (member) =>
        member.link !== null &&
        member.excluded === null &&
        !involved.has(member.id) &&
        canRepeat(member, job) &&
        options.keeps(member.id, job) &&
        member.profile !== null &&
        hasRoomForLayer(member.profile, member.usedBytes),
    );
  }

  return {
    watching: (laps) => ({
      ...laps,
      async run(running, trip) {
        if (trip.position === 0) begin(running.lap, trip.sequence);
        const result = await laps.run(running, trip);
        const sample = samples.get(trip.sequence);
        if (sample && ++sample.laps === lapsWatched) collect(sample);
        return result;
      },
    }),
    onSeen(from, { planVersion, sequence, stage, positions }, payload) {
      const sample = samples.get(sequence);
      const asked = sample && boundariesOf(sample).find(([, boundary]) => boundary.stage === stage);
      // Who was not asked, or too late, is not heard.
      if (!sample || sample.planVersion !== planVersion || asked?.[0] !== from) return;
      const count = payload.length / (hiddenSize * (wire === 'f16' ? 2 : 4));
      if (positions.length === 0) samples.delete(sequence);
      else if (positions.length !== count || !isAscending(positions))
        throw new Error(`${from} says it saw ${positions.length} positions, and shows ${count}`);
      else take(sample, stage, { positions, payload });
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

/** The two ends of a stage, and who sees what crosses there. */
function boundariesOf({ lap, planVersion, sequence, stage }: Sample): [string, Boundary][] {
  return [
    [lap.stages[stage - 1].device, { planVersion, sequence, stage }],
    [lap.stages[stage + 1].device, { planVersion, sequence, stage: stage + 1 }],
  ];
}

/** Whether the work of these weights comes out the same on this device. */
function canRepeat({ profile }: Member, { weights }: Job): boolean {
  return profile !== null && piecesAreExact(profile.compute.backend, weights);
}

/** Int8 on wasm gives each run another result: there is no telling right from wrong. */
function isLookable({ link, profile }: Member): boolean {
  return (
    link !== null &&
    profile !== null &&
    piecesAreExact(profile.compute.backend, profile.compute.weights)
  );
}

function wrongWork({ job: { first, last } }: Case): string {
  const layers = first === last ? `layer ${first}` : `layers ${first} to ${last}`;
  return `What it made of ${layers} is not what others make of them.`;
}

function isAscending(positions: readonly number[]): boolean {
  return (
    positions.length <= mostPositions &&
    positions.every((position, index) => index === 0 || position > positions[index - 1])
  );
}

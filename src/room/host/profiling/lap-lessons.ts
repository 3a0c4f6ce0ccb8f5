/**
 * What laps teach: how much slower each device is than it measured, what part of their planned time links take, and what
 * is left of a lap beside. All of it is the median over the last laps.
 */
import { hopsOf, type Stage } from '../../lap.ts';
import type { LapTiming } from '../../room.ts';
import { median } from '../../../base/median.ts';
import { blockMsAt, type Member, pairOf } from '../membership/index.ts';
import { plannedMsOf, restMs, type Spent } from './lap-rest.ts';

/** A token's trip while nothing else was under way. */
export interface TokenLap {
  stages: readonly Stage[];
  timing: LapTiming;
  /** Positions before the token. */
  position: number;
}

export interface LapLessonsOptions {
  member: (deviceId: string) => Member | undefined;
  /** The model's last layer, which is its head. */
  headLayer: number;
  /** What plans say that a hidden state takes between two devices. */
  wireMs: (from: string, to: string) => number;
}

export interface LapLessons {
  observe(lap: TokenLap): void;
  /** How much slower the device is than it measured; 1 until that is known. */
  factor(deviceId: string): number;
  /** The factors of all devices that took part. */
  factors(): Map<string, number>;
  /** What a stage takes beside computing, queueing and the planned wire: calls into workers, packing, waking up. */
  besideMs(): number | null;
  /** What part of the link's planned time hidden states take between these two, at most 1. */
  wireShare(from: string, to: string): number;
  /** The shares of all links that were on the way, by pair of devices. */
  wireShares(): Map<string, number>;
  /** A lap beside the sum of what its parts usually take. */
  lapOverParts(): number;
  /** The device left, or measured itself anew. */
  forget(deviceId: string): void;
}

/** Laps over which the median is taken: a burst of other work is shorter. */
const window = 64;
/** Fewer prove nothing. */
const fewest = 8;
/** A link takes some time, whatever laps say. */
const leastWireShare = 0.1;

interface Lessons {
  factors: Map<string, number>;
  laps: (Spent & { restMs: number })[];
  besideMs: number | null;
}

export function createLapLessons(options: LapLessonsOptions): LapLessons {
  /** Of each device: measured over expected compute. */
  const ratios = new Map<string, number[]>();
  let spent: Spent[] = [];
  /** What all of them say together; null when it is to be worked out anew. */
  let lessons: Lessons | null = null;

  function factor(deviceId: string): number {
    return known(ratios.get(deviceId)) ?? 1;
  }

  function learned(): Lessons {
    if (lessons) return lessons;
    const factors = new Map([...ratios.keys()].map((id) => [id, factor(id)]));
    const laps = spent.map((lap) => ({ ...lap, restMs: restMs(lap, factors) }));
    const besideMs = known(laps.map((lap) => lap.restMs / lap.stages));
    return (lessons = { factors, laps, besideMs });
  }

  function wireShare(from: string, to: string): number {
    const link = pairOf(from, to);
    const plannedMs = options.wireMs(from, to);
    const over = learned().laps.filter(({ hops }) =>
      hops.some((hop) => pairOf(hop.from, hop.to) === link && hop.plannedMs === plannedMs),
    );
    const shares = over.map((lap) => 1 + lap.restMs / plannedMsOf(lap.hops));
    return Math.min(1, Math.max(leastWireShare, known(shares) ?? 1));
  }

  /** Splits the lap into what its devices should have computed and the rest; learns how much longer each took. */
  function spentIn({ stages, timing: { hops, lapMs }, position }: TokenLap): Spent {
    const lap: Spent = {
      ms: hops.reduce((rest, { queueMs }) => rest - queueMs, lapMs),
      stages: stages.length,
      expected: [],
      unexpectedMs: 0,
      hops: hopsOf({ stages }).map((hop) => ({
        ...hop,
        plannedMs: options.wireMs(hop.from, hop.to),
      })),
    };
    const measured = new Map<string, number>();
    for (const { stage, computeMs } of hops) {
      const { device } = stages[stage];
      measured.set(device, (measured.get(device) ?? 0) + computeMs);
    }
    for (const [id, computeMs] of measured) {
      const ms = expectedCompute(options, stages, id, position);
      if (ms === null) {
        lap.unexpectedMs += computeMs;
        continue;
      }
      lap.expected.push({ id, ms });
      const values = ratios.get(id) ?? [];
      ratios.set(id, values);
      add(values, computeMs / ms);
    }
    return lap;
  }

  return {
    observe(lap) {
      add(spent, spentIn(lap));
      lessons = null;
    },
    factor,
    factors: () => learned().factors,
    besideMs: () => learned().besideMs,
    wireShare,
    wireShares() {
      const hops = spent.flatMap((lap) => lap.hops);
      const links = new Map(hops.map((hop) => [pairOf(hop.from, hop.to), hop]));
      return new Map([...links].map(([name, { from, to }]) => [name, wireShare(from, to)]));
    },
    lapOverParts: () => known(learned().laps.map((lap) => 1 + lap.restMs / lap.ms)) ?? 1,
    forget(deviceId) {
      const slower = factor(deviceId);
      // What the others did in its laps stays known.
      spent = spent.map((lap) => {
        const gone = lap.expected.find(({ id }) => id === deviceId);
        if (!gone) return lap;
        const expected = lap.expected.filter((each) => each !== gone);
        return { ...lap, expected, unexpectedMs: lap.unexpectedMs + gone.ms * slower };
      });
      ratios.delete(deviceId);
      lessons = null;
    },
  };
}

/** What the device's own measurement says its stages take; null for one that has none. */
function expectedCompute(
  { member, headLayer }: LapLessonsOptions,
  stages: readonly Stage[],
  deviceId: string,
  position: number,
): number | null {
  const compute = member(deviceId)?.profile?.compute;
  if (!compute) return null;
  let ms = 0;
  for (const { device, first, last } of stages) {
    if (device !== deviceId) continue;
    for (let layer = first; layer <= last; layer++)
      if (layer === 0) ms += compute.embedMs;
      else ms += layer === headLayer ? compute.headMs : blockMsAt(compute, position);
  }
  return ms > 0 ? ms : null;
}

function add<T>(values: T[], value: T): void {
  values.push(value);
  if (values.length > window) values.shift();
}

function known(values: readonly number[] | undefined): number | null {
  return !values || values.length < fewest ? null : median(values);
}

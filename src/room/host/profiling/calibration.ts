/**
 * What answers teach about the devices that make them. A device measures itself before its first token,
 * for a moment and alone; how long its stages then really take, token after token, is known better. Plans
 * and predictions follow that, once it is more than noise.
 */
import { hopsOf, type Stage } from '../../lap.ts';
import type { LapTiming } from '../../room.ts';
import { plannedMsOf, restMs, type Spent } from './lap-rest.ts';
import { median } from '../../timing/index.ts';
import { blockMsAt, type DeviceProfile, type Member, pairOf } from '../membership/index.ts';

export interface TokenLap {
  stages: readonly Stage[];
  timing: LapTiming;
  /** Positions before the token. */
  position: number;
}

export interface CalibrationOptions {
  member: (deviceId: string) => Member | undefined;
  /** The model's last layer, which is its head. */
  headLayer: number;
  /** What plans say that a hidden state takes between two devices. */
  wireMs: (from: string, to: string) => number;
  /** What running plans should take by what is known now has changed. */
  onDrift: () => void;
  /** A device is so far from what the plan was made for that another plan may be better. */
  onDeparture: () => void;
  nowMs?: () => number;
}

export interface Calibration {
  /** A token's trip while nothing else was under way. */
  observe(lap: TokenLap): void;
  /** What the device measured of itself, with its times as they turned out. */
  calibrated(deviceId: string, profile: DeviceProfile): DeviceProfile;
  /**
   * What part of the link's planned time hidden states take between these two, at most 1: a link is measured while
   * nothing is under way, and threads that have just worked wake up sooner. 1 once it has been measured anew.
   */
  wireShare(from: string, to: string): number;
  /** It left, or measured itself anew. */
  forget(deviceId: string): void;
}

/** Laps over which the median is taken: a burst of other work is shorter. */
const window = 64;
/** Fewer prove nothing. */
const fewest = 8;
/** So often is it looked whether something changed. */
const lookEvery = 16;
const drift = 1.03;
/** Far enough from 1 that noise does not move blocks about. */
const departure = 1.2;
/** A link takes some time, whatever laps say. */
const leastWireShare = 0.1;
/** Among the names of devices and of pairs of them; none of those is empty. */
const wholeLap = '';
/** Moving layers costs the room more than a device's mood of a few seconds. */
const leastBetweenDeparturesMs = 5000;

interface Lessons {
  /** Of each device: how much slower it is than it measured. */
  factors: Map<string, number>;
  laps: (Spent & { restMs: number })[];
  /** What a stage takes beside computing, queueing and the planned wire: calls into workers, packing, waking up. */
  besideMs: number | null;
}

export function createCalibration(options: CalibrationOptions): Calibration {
  /** Of each device: measured over expected compute. */
  const ratios = new Map<string, number[]>();
  let spent: Spent[] = [];
  /** What all of them say together; null when it is to be worked out anew. */
  let lessons: Lessons | null = null;
  const { nowMs = () => performance.now() } = options;
  let observed = 0;
  let departedAtMs = -Infinity;
  /** By device, by pair of devices, and of the whole lap. */
  let shown = new Map<string, number>();
  let planned = new Map<string, number>();

  function add<T>(values: T[], value: T): void {
    values.push(value);
    if (values.length > window) values.shift();
  }

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

  function wireShares(): Map<string, number> {
    const hops = spent.flatMap((lap) => lap.hops);
    const links = new Map(hops.map((hop) => [pairOf(hop.from, hop.to), hop]));
    return new Map([...links].map(([name, { from, to }]) => [name, wireShare(from, to)]));
  }

  /** A lap beside the sum of what its parts usually take. */
  function lapOverParts(): number {
    return known(learned().laps.map((lap) => 1 + lap.restMs / lap.ms)) ?? 1;
  }

  function look(): void {
    const now = learned().factors;
    const all = new Map([...now, ...wireShares()]).set(wholeLap, lapOverParts());
    const mayDepart = nowMs() - departedAtMs >= leastBetweenDeparturesMs;
    if (mayDepart && differs(now, planned, departure)) {
      departedAtMs = nowMs();
      planned = now;
      shown = all;
      options.onDeparture();
    } else if (differs(all, shown, drift) || observed === lookEvery) {
      shown = all;
      options.onDrift();
    }
  }

  return {
    observe({ stages, timing, position }) {
      const { hops, lapMs } = timing;
      const measured = new Map<string, number>();
      for (const { stage, computeMs } of hops) {
        const { device } = stages[stage];
        measured.set(device, (measured.get(device) ?? 0) + computeMs);
      }
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
      add(spent, lap);
      lessons = null;
      if (++observed % lookEvery === 0) look();
    },
    calibrated(deviceId, profile) {
      const { compute } = profile;
      const slower = factor(deviceId);
      return {
        ...profile,
        callMs: Math.max(0, learned().besideMs ?? profile.callMs),
        compute: {
          ...compute,
          embedMs: compute.embedMs * slower,
          blockMs: compute.blockMs * slower,
          headMs: compute.headMs * slower,
          attendMs: compute.attendMs * slower,
          prefillBlockMs: compute.prefillBlockMs * slower,
        },
      };
    },
    wireShare,
    forget(deviceId) {
      const slower = factor(deviceId);
      // What the others did in its laps stays known.
      spent = spent.map((lap) => {
        const gone = lap.expected.find(({ id }) => id === deviceId);
        if (!gone) return lap;
        const expected = lap.expected.filter((each) => each !== gone);
        return { ...lap, expected, unexpectedMs: lap.unexpectedMs + gone.ms * slower };
      });
      for (const each of [ratios, shown, planned]) each.delete(deviceId);
      lessons = null;
    },
  };
}

/** What the device's own measurement says its stages take; null for one that has none. */
function expectedCompute(
  { member, headLayer }: CalibrationOptions,
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

function known(values: readonly number[] | undefined): number | null {
  return !values || values.length < fewest ? null : median(values);
}

function differs(
  now: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  by: number,
): boolean {
  return [...now].some(([id, value]) => {
    const change = value / (before.get(id) ?? 1);
    return change > by || change < 1 / by;
  });
}

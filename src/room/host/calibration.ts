/**
 * What answers teach about the devices that make them. A device measures itself before its first token,
 * for a moment and alone; how long its stages then really take, token after token, is known better. Plans
 * and predictions follow that, once it is more than noise.
 */
import type { LapTiming } from '../room.ts';
import { median } from '../median.ts';
import { hopsOf, type Hop, type Stage } from '../lap.ts';
import { pairOf, type DeviceProfile, type Member } from './members.ts';
import { layerMsAt } from './room-plan.ts';

export interface TokenLap {
  stages: readonly Stage[];
  timing: LapTiming;
  /** Positions before the token. */
  position: number;
}

export interface CalibrationOptions {
  member: (deviceId: string) => Member | undefined;
  /** The model's last row, which is its head. */
  headRow: number;
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
/** Far enough from 1 that noise does not move layers about. */
const departure = 1.2;
/** A link takes some time, whatever laps say. */
const leastWireShare = 0.1;
/** Among the names of devices and of pairs of them; none of those is empty. */
const wholeLap = '';
/** Moving rows costs the room more than a device's mood of a few seconds. */
const leastBetweenDeparturesMs = 5000;

/** What one lap has to say of what is left when its stages have computed. */
interface Spent {
  /** The whole lap but for its queues. */
  ms: number;
  stages: number;
  /** What its devices should have computed, by their own measurement. */
  expected: { id: string; ms: number }[];
  /** What those computed that have none. */
  unexpectedMs: number;
  hops: (Hop & { plannedMs: number })[];
}

export function createCalibration(options: CalibrationOptions): Calibration {
  /** Of each device: measured over expected compute. */
  const ratios = new Map<string, number[]>();
  let spent: Spent[] = [];
  /** Of each device; null when laps have taught something since. */
  let usual: ReadonlyMap<string, number> | null = null;
  const { nowMs = () => performance.now() } = options;
  let observed = 0;
  let departedAtMs = -Infinity;
  /** By device, by pair of devices, and of the whole lap. */
  let shown: ReadonlyMap<string, number> = new Map();
  let planned: ReadonlyMap<string, number> = new Map();

  function add<T>(values: T[], value: T): void {
    values.push(value);
    if (values.length > window) values.shift();
  }

  function factor(deviceId: string): number {
    return known(ratios.get(deviceId)) ?? 1;
  }

  function factors(): ReadonlyMap<string, number> {
    return (usual ??= new Map([...ratios.keys()].map((id) => [id, factor(id)])));
  }

  /**
   * What is left of each lap once its stages have taken what they usually take, not what they took in that very
   * lap: of times that are now and then much longer, the usual sum is more than the sum of the usual ones.
   */
  function rests(of: readonly Spent[]): number[] {
    const slower = factors();
    return of.map(({ ms, expected, unexpectedMs, hops }) => {
      const computeMs = expected.reduce(
        (sum, each) => sum + each.ms * (slower.get(each.id) ?? 1),
        0,
      );
      return ms - computeMs - unexpectedMs - plannedMsOf(hops);
    });
  }

  /** What a stage takes beside computing, queueing and the planned wire: calls into workers, packing, waking up. */
  function besideMs(): number | null {
    return known(rests(spent).map((ms, index) => ms / spent[index].stages));
  }

  function wireShare(from: string, to: string): number {
    const link = pairOf(from, to);
    const plannedMs = options.wireMs(from, to);
    const over = spent.filter(({ hops }) =>
      hops.some((hop) => pairOf(hop.from, hop.to) === link && hop.plannedMs === plannedMs),
    );
    const shares = rests(over).map((ms, index) => 1 + ms / plannedMsOf(over[index].hops));
    return Math.min(1, Math.max(leastWireShare, known(shares) ?? 1));
  }

  function wireShares(): Map<string, number> {
    const hops = spent.flatMap((lap) => lap.hops);
    const links = new Map(hops.map((hop) => [pairOf(hop.from, hop.to), hop]));
    return new Map([...links].map(([name, { from, to }]) => [name, wireShare(from, to)]));
  }

  /** A lap beside the sum of what its parts usually take. */
  function lapOverParts(): number {
    return known(rests(spent).map((ms, index) => 1 + ms / spent[index].ms)) ?? 1;
  }

  function look(): void {
    const now = factors();
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
      usual = null;
      if (++observed % lookEvery === 0) look();
    },
    calibrated(deviceId, profile) {
      const { compute } = profile;
      const slower = factor(deviceId);
      return {
        ...profile,
        callMs: Math.max(0, besideMs() ?? profile.callMs),
        compute: {
          ...compute,
          embedMs: compute.embedMs * slower,
          layerMs: compute.layerMs * slower,
          headMs: compute.headMs * slower,
          attendMs: compute.attendMs * slower,
          prefillLayerMs: compute.prefillLayerMs * slower,
        },
      };
    },
    wireShare: (from, to) => wireShare(from, to),
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
      usual = null;
      shown = without(shown, deviceId);
      planned = without(planned, deviceId);
    },
  };
}

function without(values: ReadonlyMap<string, number>, name: string): Map<string, number> {
  return new Map([...values].filter(([other]) => other !== name));
}

/** What the device's own measurement says its stages take; null for one that has none. */
function expectedCompute(
  { member, headRow }: CalibrationOptions,
  stages: readonly Stage[],
  deviceId: string,
  position: number,
): number | null {
  const compute = member(deviceId)?.profile?.compute;
  if (!compute) return null;
  let ms = 0;
  for (const { device, first, last } of stages) {
    if (device !== deviceId) continue;
    for (let row = first; row <= last; row++)
      if (row === 0) ms += compute.embedMs;
      else ms += row === headRow ? compute.headMs : layerMsAt(compute, position);
  }
  return ms > 0 ? ms : null;
}

function plannedMsOf(hops: readonly { plannedMs: number }[]): number {
  return hops.reduce((sum, { plannedMs }) => sum + plannedMs, 0);
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

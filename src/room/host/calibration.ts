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
/** Moving rows costs the room more than a device's mood of a few seconds. */
const leastBetweenDeparturesMs = 5000;

export function createCalibration(options: CalibrationOptions): Calibration {
  /** Of each device: measured over expected compute. */
  const ratios = new Map<string, number[]>();
  /** Of each link: what part of its planned time laps left it, and that time. */
  const shares = new Map<string, { plannedMs: number; values: number[] }>();
  /** What a stage takes beside computing, queueing and the planned wire: calls into workers, packing, waking up. */
  const besideMs: number[] = [];
  const { nowMs = () => performance.now() } = options;
  let observed = 0;
  let departedAtMs = -Infinity;
  /** By device, and by pair of devices. */
  let shown = new Map<string, number>();
  let planned = new Map<string, number>();

  function add(values: number[], value: number): void {
    values.push(value);
    if (values.length > window) values.shift();
  }

  function factor(deviceId: string): number {
    return known(ratios.get(deviceId)) ?? 1;
  }

  function factors(): Map<string, number> {
    return new Map([...ratios.keys()].map((id) => [id, factor(id)]));
  }

  function learnWire({ from, to }: Hop, share: number): void {
    const name = pairOf(from, to);
    const plannedMs = options.wireMs(from, to);
    let known = shares.get(name);
    if (known?.plannedMs !== plannedMs) known = { plannedMs, values: [] };
    shares.set(name, known);
    add(known.values, share);
  }

  function wireShare(from: string, to: string): number {
    const learned = shares.get(pairOf(from, to));
    return learned?.plannedMs === options.wireMs(from, to) ? (known(learned.values) ?? 1) : 1;
  }

  function wireShares(): Map<string, number> {
    return new Map([...shares].map(([name, { values }]) => [name, known(values) ?? 1]));
  }

  function look(): void {
    const now = factors();
    const all = new Map([...now, ...wireShares()]);
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
      for (const [id, computeMs] of measured) {
        const expectedMs = expectedCompute(options, stages, id, position);
        if (expectedMs === null) continue;
        const values = ratios.get(id) ?? [];
        ratios.set(id, values);
        add(values, computeMs / expectedMs);
      }
      const inStages = hops.reduce((sum, { queueMs, computeMs }) => sum + queueMs + computeMs, 0);
      const links = hopsOf({ stages });
      const onWireMs = links.reduce((sum, { from, to }) => sum + options.wireMs(from, to), 0);
      const restMs = lapMs - inStages - onWireMs;
      add(besideMs, restMs / stages.length);
      const share = Math.min(1, Math.max(leastWireShare, 1 + restMs / onWireMs));
      for (const link of links) learnWire(link, share);
      if (++observed % lookEvery === 0) look();
    },
    calibrated(deviceId, profile) {
      const { compute } = profile;
      const slower = factor(deviceId);
      return {
        ...profile,
        callMs: Math.max(0, known(besideMs) ?? profile.callMs),
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
    wireShare,
    forget(deviceId) {
      for (const known of [ratios, shown, planned]) known.delete(deviceId);
    },
  };
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

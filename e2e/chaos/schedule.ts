/** What goes wrong, on which machine, and when: drawn from a seed, so that a run that found something can be had again. */
import { startRandom } from '../../src/planner/random.ts';

/** Machine 0 is the host's; each of the others has a device, or had one. */
export interface Fault {
  kind: FaultKind;
  machine: number;
  atMs: number;
  /** How long it lasts; 0 for what happens once. */
  forMs: number;
}

export type FaultKind = keyof typeof faults;

interface FaultTraits {
  /** Whether its machine has no device afterwards; `fills` for what needs one that has none. */
  leaves: 'as it was' | 'empty' | 'fills';
  /** Whom it may hit. */
  hits: 'devices' | 'host' | 'anyone';
  /** Shortest and longest, ms. */
  lastsMs: readonly [number, number];
  /** How long its machine is left alone afterwards: to load, or to find its way back. */
  restMs: number;
  /** Needs a graphics processor to lose. */
  needsGpu: boolean;
}

const usual = {
  leaves: 'as it was',
  hits: 'devices',
  lastsMs: [0, 0],
  needsGpu: false,
} as const;

/** Every kind, with what it does to its machine. */
export const faults = {
  /** A newcomer. */
  join: { ...usual, leaves: 'fills', restMs: 5000 },
  /** The tab is closed, which it announces. */
  close: { ...usual, leaves: 'empty', restMs: 1000 },
  /** The tab's process dies. */
  crash: { ...usual, leaves: 'empty', restMs: 1000 },
  /** The whole browser dies. */
  kill: { ...usual, leaves: 'empty', restMs: 1000 },
  /** The whole browser stands still for a while. */
  freeze: { ...usual, hits: 'anyone', lastsMs: [2000, 20_000], restMs: 6000 },
  /** Every network path there is breaks for good; new ones work. */
  'path cut': { ...usual, hits: 'anyone', restMs: 6000 },
  /** No network at all for a while. */
  outage: { ...usual, lastsMs: [1500, 12_000], restMs: 6000 },
  /** The server is out of reach for a while. */
  'server out of reach': { ...usual, hits: 'anyone', lastsMs: [1000, 6000], restMs: 3000 },
  /** The worker that computes breaks down. */
  'engine lost': { ...usual, restMs: 8000 },
  /** The browser's graphics process dies. */
  'gpu lost': { ...usual, restMs: 8000, needsGpu: true },
  /** The host's page is loaded anew. */
  'host reload': { ...usual, hits: 'host', restMs: 8000 },
} as const satisfies Record<string, FaultTraits>;

export interface ScheduleOptions {
  seed: number;
  /** No fault begins after this. */
  durationMs: number;
  /** The host's included; each has a device at first. */
  machines: number;
  /** Between one fault's beginning and the next one's. */
  betweenMs: readonly [shortest: number, longest: number];
  /** The longest that any fault lasts. */
  longestMs: number;
  /** Whether the machines compute on WebGPU. */
  hasGpu: boolean;
}

/** In order of time. Never the last device goes: at least one machine besides the host's keeps its device. */
export function makeSchedule(options: ScheduleOptions): Fault[] {
  const { durationMs, machines, betweenMs, longestMs, hasGpu } = options;
  const random = startRandom(options.seed);
  const between = ([least, most]: readonly [number, number]): number =>
    Math.round(least + random() * (most - least));
  const kinds = (Object.keys(faults) as FaultKind[]).filter(
    (kind) => hasGpu || !faults[kind].needsGpu,
  );
  const taken = Array.from({ length: machines }, () => true);
  const freeAtMs = Array.from({ length: machines }, () => 0);
  const schedule: Fault[] = [];
  /** Kinds still to come before any comes again. */
  let bag: FaultKind[] = [];

  function candidates(kind: FaultKind, atMs: number): number[] {
    const { hits, leaves } = faults[kind];
    return [...taken.keys()].filter((machine) => {
      if (freeAtMs[machine] > atMs) return false;
      if (hits === 'host' ? machine !== 0 : hits === 'devices' && machine === 0) return false;
      if (leaves === 'fills') return !taken[machine];
      return taken[machine] && (leaves === 'as it was' || taken.filter(Boolean).length > 2);
    });
  }

  function draw(atMs: number): { kind: FaultKind; machines: number[] } | null {
    for (const [index, kind] of bag.entries()) {
      const fitting = candidates(kind, atMs);
      if (fitting.length === 0) continue;
      bag.splice(index, 1);
      return { kind, machines: fitting };
    }
    return null;
  }

  for (let atMs = between(betweenMs); atMs <= durationMs; atMs += between(betweenMs)) {
    if (bag.length === 0) bag = shuffled(kinds, random);
    const drawn = draw(atMs);
    if (!drawn) continue;
    const { kind } = drawn;
    const { leaves, lastsMs, restMs } = faults[kind];
    const machine = drawn.machines[Math.floor(random() * drawn.machines.length)];
    const forMs = Math.min(between(lastsMs), longestMs);
    schedule.push({ kind, machine, atMs, forMs });
    freeAtMs[machine] = atMs + forMs + restMs;
    if (leaves !== 'as it was') taken[machine] = leaves === 'fills';
    // Whoever left is followed by somebody: machines without devices would end the chaos.
    if (leaves === 'empty' && !bag.includes('join')) bag.push('join');
  }
  return schedule;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

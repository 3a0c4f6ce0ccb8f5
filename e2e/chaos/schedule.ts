/** What goes wrong, with which seat, and when: drawn from a seed, so that a run that found something can be had again. */
import { startRandom } from '../../src/planner/random.ts';

/** Seat 0 is the host's; a device sits on, or has left, each of the others. */
export interface Fault {
  kind: FaultKind;
  seat: number;
  atMs: number;
  /** How long it lasts; 0 for what happens once. */
  forMs: number;
}

export type FaultKind = keyof typeof faults;

interface FaultTraits {
  /** Whether its seat is empty afterwards; `fills` for what takes an empty one. */
  leaves: 'as it was' | 'empty' | 'fills';
  /** Whom it may strike. */
  hits: 'devices' | 'host' | 'anyone';
  /** Shortest and longest, ms. */
  lastsMs: readonly [number, number];
  /** How long its seat is left alone afterwards: to load, or to find its way back. */
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

/** Every kind, with what it does to its seat. */
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
  /** The host's included; every one is taken at first. */
  seats: number;
  /** Between one fault's beginning and the next one's. */
  betweenMs: readonly [shortest: number, longest: number];
  /** The longest that any fault lasts. */
  longestMs: number;
  /** Whether the seats compute on WebGPU. */
  hasGpu: boolean;
}

/** In order of time. Never the last device goes: at least one seat besides the host's stays taken. */
export function makeSchedule(options: ScheduleOptions): Fault[] {
  const { durationMs, seats, betweenMs, longestMs, hasGpu } = options;
  const random = startRandom(options.seed);
  const between = ([least, most]: readonly [number, number]): number =>
    Math.round(least + random() * (most - least));
  const kinds = (Object.keys(faults) as FaultKind[]).filter(
    (kind) => hasGpu || !faults[kind].needsGpu,
  );
  const taken = Array.from({ length: seats }, () => true);
  const freeAtMs = Array.from({ length: seats }, () => 0);
  const schedule: Fault[] = [];
  /** Kinds still to come before any comes again. */
  let bag: FaultKind[] = [];

  function candidates(kind: FaultKind, atMs: number): number[] {
    const { hits, leaves } = faults[kind];
    return [...taken.keys()].filter((seat) => {
      if (freeAtMs[seat] > atMs) return false;
      if (hits === 'host' ? seat !== 0 : hits === 'devices' && seat === 0) return false;
      if (leaves === 'fills') return !taken[seat];
      return taken[seat] && (leaves === 'as it was' || taken.filter(Boolean).length > 2);
    });
  }

  function draw(atMs: number): { kind: FaultKind; seats: number[] } | null {
    for (const [index, kind] of bag.entries()) {
      const fitting = candidates(kind, atMs);
      if (fitting.length === 0) continue;
      bag.splice(index, 1);
      return { kind, seats: fitting };
    }
    return null;
  }

  for (let atMs = between(betweenMs); atMs <= durationMs; atMs += between(betweenMs)) {
    if (bag.length === 0) bag = shuffled(kinds, random);
    const drawn = draw(atMs);
    if (!drawn) continue;
    const { kind } = drawn;
    const { leaves, lastsMs, restMs } = faults[kind];
    const seat = drawn.seats[Math.floor(random() * drawn.seats.length)];
    const forMs = Math.min(between(lastsMs), longestMs);
    schedule.push({ kind, seat, atMs, forMs });
    freeAtMs[seat] = atMs + forMs + restMs;
    if (leaves !== 'as it was') taken[seat] = leaves === 'fills';
    // Whoever left is followed by somebody: empty seats would end the chaos.
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

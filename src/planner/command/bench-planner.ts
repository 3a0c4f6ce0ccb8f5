/**
 * `npm run bench:planner [-- --json] [--seeds N] [--only GROUP] [--processor]`: runs the exact method on
 * generated rooms and compares it with its targets. Prints a table, or one JSON object with `--json`. With
 * `--processor`, time limits and targets count processor time, for a machine that is busy with other work.
 * Groups are numbered from 1.
 */
import { parseArgs } from 'node:util';
import { generateRoom, type RoomRecipe, type Wiring } from './generated-rooms.ts';
import { solve, type Objective } from '../index.ts';

interface Group {
  name: string;
  timeLimitMs: number;
  target: string;
  isMet: (figures: Figures) => boolean;
  recipes: Omit<RoomRecipe, 'seed'>[];
}

interface Figures {
  group: string;
  objective: Objective;
  rooms: number;
  /** Rooms with a proof that no plan exists. */
  withoutPlan: number;
  /** Rooms with neither a plan nor a proof that none exists. */
  unanswered: number;
  /** Wall time, or processor time with `--processor`. */
  medianMs: number;
  p95Ms: number;
  medianCpuMs: number;
  p95CpuMs: number;
  /** The share of rooms with a proof, of the optimum or that no plan exists. */
  provenShare: number;
  /** The most that a plan may cost above the optimum, as a share of its cost: the worst room. */
  worstGap: number;
  p95Gap: number;
  target: string;
  met: boolean;
}

const wirings: Wiring[] = ['near', 'uneven'];

const groups: Group[] = [
  {
    name: '2 to 16 different devices, blocks alike',
    timeLimitMs: 5000,
    target: '≥ 99 % proven, median ≤ 100 ms, p95 ≤ 1 s',
    isMet: ({ provenShare, medianMs, p95Ms }) =>
      provenShare >= 0.99 && medianMs <= 100 && p95Ms <= 1000,
    recipes: vary([2, 4, 8, 12, 16], [26, 54, 82], [1.1, 1.5, 2.5, 4]),
  },
  {
    name: '64 devices in 6 kinds, blocks alike',
    timeLimitMs: 2000,
    target: 'proven or ≤ 1 % within 2 s',
    isMet: ({ worstGap, unanswered }) => worstGap <= 0.01 && unanswered === 0,
    recipes: varyKinds([1, 13, 13, 13, 12, 12], [26, 54, 82], [1.1, 2, 4]),
  },
  {
    name: '1000 devices in 12 kinds, 82 layers, blocks alike',
    timeLimitMs: 5000,
    target: '≤ 5 % within 5 s',
    isMet: ({ worstGap, unanswered }) => worstGap <= 0.05 && unanswered === 0,
    recipes: varyKinds([1, ...new Array<number>(10).fill(91), 89], [82], [4, 16, 48]),
  },
  {
    name: '16 different devices, every layer different',
    timeLimitMs: 2000,
    target: '≤ 2 % within 2 s',
    isMet: ({ worstGap, unanswered }) => worstGap <= 0.02 && unanswered === 0,
    recipes: vary([16], [26, 54, 82], [1.1, 1.5, 2.5, 4], true),
  },
];

function vary(
  devices: number[],
  layers: number[],
  tightnesses: number[],
  layersDiffer = false,
): Omit<RoomRecipe, 'seed'>[] {
  return devices.flatMap((count) =>
    varyKinds(new Array<number>(count).fill(1), layers, tightnesses, layersDiffer),
  );
}

function varyKinds(
  counts: number[],
  layers: number[],
  tightnesses: number[],
  layersDiffer = false,
): Omit<RoomRecipe, 'seed'>[] {
  return wirings.flatMap((wiring) =>
    layers.flatMap((each) =>
      tightnesses.map((tightness) => ({ layers: each, counts, tightness, wiring, layersDiffer })),
    ),
  );
}

function measure(
  group: Group,
  objective: Objective,
  { seeds, processor }: { seeds: number; processor: boolean },
): Figures {
  const clock = processor ? processorMs : () => performance.now();
  const wallMs: number[] = [];
  const cpuMs: number[] = [];
  const gaps: number[] = [];
  let withoutPlan = 0;
  let unanswered = 0;
  let proven = 0;
  for (const [index, recipe] of group.recipes.entries())
    for (let seed = 0; seed < seeds; seed++) {
      const problem = generateRoom({ ...recipe, seed: 1000 * seed + index });
      const beforeMs = processorMs();
      const plan = solve(problem, { objective, timeLimitMs: group.timeLimitMs, clock });
      cpuMs.push(processorMs() - beforeMs);
      wallMs.push(plan.elapsedMs);
      if (plan.feasible) {
        gaps.push(1 - plan.boundMs / plan.ms);
        if (plan.optimal) proven++;
      } else if (plan.proven) {
        withoutPlan++;
        proven++;
      } else unanswered++;
    }
  const figures: Figures = {
    group: group.name,
    objective,
    rooms: wallMs.length,
    withoutPlan,
    unanswered,
    medianMs: quantile(processor ? cpuMs : wallMs, 0.5),
    p95Ms: quantile(processor ? cpuMs : wallMs, 0.95),
    medianCpuMs: quantile(cpuMs, 0.5),
    p95CpuMs: quantile(cpuMs, 0.95),
    provenShare: proven / wallMs.length,
    worstGap: Math.max(0, ...gaps),
    p95Gap: quantile(gaps, 0.95),
    target: group.target,
    met: false,
  };
  return { ...figures, met: group.isMet(figures) };
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0
    ? 0
    : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '2' },
    only: { type: 'string' },
    processor: { type: 'boolean', default: false },
  },
});
const figures: Figures[] = [];
const chosen = groups.filter((_, index) => [undefined, String(index + 1)].includes(values.only));
for (const group of chosen)
  for (const objective of ['latency', 'throughput'] as const) {
    const measured = measure(group, objective, {
      seeds: Number(values.seeds),
      processor: values.processor,
    });
    figures.push(measured);
    if (values.json) continue;
    console.log(`${measured.group}, ${objective}`);
    console.log(
      `  ${measured.rooms} rooms (${measured.withoutPlan} proven to have no plan, ${measured.unanswered} unanswered)` +
        `, median ${measured.medianMs.toFixed(0)} ms, p95 ${measured.p95Ms.toFixed(0)} ms` +
        ` (processor ${measured.medianCpuMs.toFixed(0)} and ${measured.p95CpuMs.toFixed(0)})`,
    );
    console.log(
      `  proven ${(100 * measured.provenShare).toFixed(1)} %, gap p95 ${(100 * measured.p95Gap).toFixed(2)} %,` +
        ` worst ${(100 * measured.worstGap).toFixed(2)} %; to reach: ${measured.target}: ${measured.met ? 'met' : 'NOT met'}`,
    );
  }
if (values.json) console.log(JSON.stringify({ figures }));

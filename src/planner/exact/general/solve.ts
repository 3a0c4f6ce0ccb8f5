/**
 * The exact latency method for layers that differ. Plans come from label setting and local search, bounds
 * from the relaxation and from fill levels. Ever wider label setting comes last.
 */
import { mergeStages } from '../../evaluate.ts';
import type { Instance } from '../../instance.ts';
import type { Incumbent } from '../search.ts';
import { offerAveraged } from './averaged.ts';
import { searchFillLevels } from './fill-levels.ts';
import { improveOrders } from './improve.ts';
import { searchLabels } from './labels.ts';
import { relax, type Relaxation } from './relaxation.ts';
import { buildTables, type Tables } from './tables.ts';

/** How far below the best plan to try to prove a bound, in turn; each step is harder. */
const shares = [0.08, 0.04, 0.02, 0.01, 0.003, 0];

/** Limits the number of labels, each of which has a number for every device. */
const mostLabelBytes = 60e6;

/** @returns a bound on every plan; infinite if no plan exists */
export function solveGeneral(instance: Instance, incumbent: Incumbent): number {
  const { deadline } = incumbent;
  const tables = buildTables(instance);
  offerAveraged(instance, incumbent, deadline.leftMs() / 8);
  const relaxed = () =>
    relax(instance, tables, { steps: 250, bestMs: incumbent.ms, stop: deadline.passed });
  let relaxation = relaxed();
  let boundMs = relaxation.boundMs;
  const isDone = () => boundMs >= incumbent.ms() * (1 - 1e-12) || deadline.passed();
  const raise = (ms: number) => (boundMs = Math.max(boundMs, Math.min(ms, incumbent.ms())));

  const labelBytes = instance.kinds.length * (100 + 8 * instance.devices.length);
  const widest = Math.max(1, Math.floor(mostLabelBytes / labelBytes));
  raise(searchLabels(instance, tables, relaxation, incumbent, Math.min(50, widest)));
  if (!isDone()) {
    improve(instance, tables, incumbent);
    relaxation = relaxed();
    raise(relaxation.boundMs);
    raiseByFillLevels(instance, tables, relaxation, incumbent, raise);
  }
  for (const width of [1000, 20_000, 400_000]) {
    if (isDone()) break;
    raise(searchLabels(instance, tables, relaxation, incumbent, Math.min(width, widest)));
    if (width > widest) break;
  }
  return Math.min(boundMs, incumbent.ms());
}

/** A bound for a room with a best plan whose proof took too long. */
export function boundByFillLevels(instance: Instance, incumbent: Incumbent): number {
  const tables = buildTables(instance);
  const stop = incumbent.deadline.passed;
  const relaxation = relax(instance, tables, { steps: 250, bestMs: incumbent.ms, stop });
  let boundMs = Math.min(relaxation.boundMs, incumbent.ms());
  raiseByFillLevels(instance, tables, relaxation, incumbent, (ms) => {
    boundMs = Math.max(boundMs, Math.min(ms, incumbent.ms()));
  });
  return boundMs;
}

/** Local search from the best plan so far and from the source alone, within half of the time left. */
function improve(instance: Instance, tables: Tables, incumbent: Incumbent): void {
  const best = incumbent.placement() ?? [];
  const orders = [[...new Set(best.map(({ device }) => device))], [instance.source]];
  const { deadline } = incumbent;
  const leaveMs = deadline.leftMs() / 2;
  improveOrders(
    instance,
    tables,
    orders.filter((order) => order.length > 0),
    incumbent,
    () => deadline.passed() || deadline.leftMs() < leaveMs,
  );
}

function raiseByFillLevels(
  instance: Instance,
  tables: Tables,
  relaxation: Relaxation,
  incumbent: Incumbent,
  raise: (ms: number) => void,
): void {
  if (!Number.isFinite(incumbent.ms())) return;
  for (const share of shares) {
    const thresholdMs = incumbent.ms() * (1 - share);
    if (thresholdMs <= relaxation.boundMs) continue;
    const { boundMs, path } = searchFillLevels(
      instance,
      tables,
      relaxation,
      thresholdMs,
      incumbent.deadline,
    );
    if (boundMs === null) return;
    raise(boundMs);
    if (path === null) continue;
    incumbent.offer(mergeStages(path));
    return;
  }
}

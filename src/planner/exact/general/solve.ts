/** The exact latency method where rows differ: bounds by relaxation, plans by local search, proof by ever wider label setting. */
import type { Instance } from '../../instance.ts';
import type { Incumbent } from '../search.ts';
import { improveOrders } from './improve.ts';
import { searchLabels } from './labels.ts';
import { relax } from './relaxation.ts';
import { buildTables } from './tables.ts';

/** @returns a bound on every plan: infinite where there is none at all */
export function solveGeneral(instance: Instance, incumbent: Incumbent): number {
  const tables = buildTables(instance);
  const relaxation = relax(instance, tables, {
    steps: 200,
    bestMs: incumbent.ms,
    stop: incumbent.deadline.passed,
  });
  let boundMs = Math.min(relaxation.boundMs, incumbent.ms());
  const { deadline } = incumbent;
  for (const width of [50, 1000, 20_000, 400_000]) {
    if (boundMs >= incumbent.ms() || deadline.passed()) break;
    const droppedMs = searchLabels(instance, tables, relaxation, incumbent, width);
    boundMs = Math.max(boundMs, Math.min(droppedMs, incumbent.ms()));
    if (width === 50 && boundMs < incumbent.ms()) {
      const best = incumbent.placement();
      const fromBest = best === null ? [] : [[...new Set(best.map(({ device }) => device))]];
      const before = incumbent.ms();
      const untilMs = deadline.leftMs() / 2;
      improveOrders(
        instance,
        tables,
        [...fromBest, [instance.source]],
        incumbent,
        () => deadline.passed() || deadline.leftMs() < untilMs,
      );
      (globalThis as any).DBG =
        `${before.toFixed(3)} -> ${incumbent.ms().toFixed(3)} root ${relaxation.boundMs.toFixed(3)}`;
    }
  }
  return boundMs;
}

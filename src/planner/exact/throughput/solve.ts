/**
 * The exact throughput method: finds the smallest bottleneck within which some order of devices can hold all
 * layers. Narrow searches improve the best plan; one full search just below it proves it.
 */
import type { Instance } from '../../instance.ts';
import { edgeshardThroughput } from '../../edgeshard/throughput.ts';
import { buildTables } from '../general/tables.ts';
import type { Incumbent } from '../search.ts';
import { bottleneckOfOrder } from './order.ts';
import { capacityBoundMs, reachWithin } from './reach.ts';

/**
 * Up to this many devices beside the source, the published programme is fast enough, and it is exact for this
 * objective.
 */
const fewDevices = 8;

/** @returns a bound on every plan; infinite if no plan exists */
export function solveThroughput(instance: Instance, incumbent: Incumbent): number {
  if (instance.devices.length - 1 <= fewDevices && instance.pinFirst > 0) {
    const outcome = edgeshardThroughput(instance);
    if (!outcome.found) return Infinity;
    return incumbent.offer(outcome.placement);
  }
  const { deadline } = incumbent;
  const tables = buildTables(instance);
  const slowestMs = instance.kinds.reduce(
    (sum, { layerMs }) => sum + layerMs.reduce((a, b) => a + b, 0),
    0,
  );
  let boundMs = 0;

  /** Searches for a plan within `ms`; true if it found one. A proof that there is none raises the bound. */
  const attempt = (ms: number, width: number): boolean => {
    const reach = reachWithin(instance, tables, ms, width, deadline);
    switch (reach.answer) {
      case 'no':
        boundMs = Math.max(boundMs, ms);
        return false;
      case 'unknown':
        return false;
      case 'yes': {
        const placement = bottleneckOfOrder(instance, tables, reach.order);
        const beforeMs = incumbent.ms();
        if (placement !== null) incumbent.offer(placement);
        return incumbent.ms() < beforeMs;
      }
    }
  };

  if (incumbent.ms() === Infinity && !attempt(slowestMs * 2, 64)) {
    if (!attempt(Infinity, 64) && !attempt(Infinity, Infinity) && boundMs === Infinity)
      return Infinity;
    if (incumbent.ms() === Infinity) return boundMs;
  }
  boundMs = Math.max(boundMs, capacityBoundMs(instance, tables, incumbent.ms()));
  const justBelow = () => incumbent.ms() * (1 - 1e-9);
  const bisect = (width: number, closeRatio: number) => {
    let low = boundMs;
    while (!deadline.passed() && incumbent.ms() - low > closeRatio * incumbent.ms()) {
      const middle = (low + incumbent.ms()) / 2;
      if (!attempt(middle, width)) low = middle;
    }
    while (!deadline.passed() && attempt(justBelow(), width));
  };
  bisect(64, 1e-3);
  if (boundMs < justBelow()) bisect(2048, 1e-3);
  while (boundMs < justBelow() && !deadline.passed() && attempt(justBelow(), Infinity));
  return boundMs >= justBelow() ? incumbent.ms() : Math.min(boundMs, incumbent.ms());
}

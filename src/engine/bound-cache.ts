/** Binds KV caches to one run: what is fed, what is fetched, and which cache keeps each result. */
import { kvNames, lengthNames } from './attention.ts';
import type { KvCache } from './kv-cache.ts';
import type { Ort, RunTensor } from './runtime.ts';

export interface BoundCache<Cache extends KvCache = KvCache> {
  cache: Cache;
  /** Length of the sequence after the run. */
  total: number;
}

export interface Bindings {
  feeds: Record<string, RunTensor>;
  fetches: Record<string, RunTensor | null>;
}

export async function bindCaches(ort: Ort, caches: BoundCache[]): Promise<Bindings> {
  const totals = Int32Array.from(caches, ({ total }) => total);
  const feeds: Bindings['feeds'] = {
    [lengthNames.total]: new ort.Tensor('int32', totals, [caches.length]),
    [lengthNames.last]: new ort.Tensor(
      'int32',
      totals.map((total) => total - 1),
      [caches.length],
    ),
  };
  const fetches: Bindings['fetches'] = {};
  for (const [index, { cache, total }] of caches.entries()) {
    const names = kvNames(index);
    const { past, present } = await cache.bind(total);
    feeds[names.pastKey] = past.key;
    feeds[names.pastValue] = past.value;
    fetches[names.key] = present?.key ?? null;
    fetches[names.value] = present?.value ?? null;
  }
  return { feeds, fetches };
}

/** To be called only after a run that succeeded. */
export function keepCaches(caches: BoundCache[], outputs: Record<string, RunTensor>): void {
  caches.forEach(({ cache, total }, index) => {
    const names = kvNames(index);
    cache.keep({ key: outputs[names.key], value: outputs[names.value] }, total);
  });
}

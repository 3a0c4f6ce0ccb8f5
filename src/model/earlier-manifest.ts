/**
 * Reads manifests of format 1, which earlier versions wrote: shards cut then stay readable. Format 1 calls
 * the layers `rows`, and a transformer block `layer`.
 */
import { isRecord } from '../base/is-record.ts';

/** The same manifest in today's format. Anything else is returned unchanged, for the schema to judge. */
export function inTodaysFormat(json: unknown): unknown {
  if (!isRecord(json) || json['version'] !== 1 || !Array.isArray(json['rows'])) return json;
  const { rows, ...rest } = json;
  const layers = (rows as unknown[]).map((row) =>
    isRecord(row) && row['kind'] === 'layer' ? { ...row, kind: 'block' } : row,
  );
  return { ...rest, version: 2, layers };
}

/**
 * Manifests as earlier versions wrote them. Format 1 calls the layers `rows` and a transformer block `layer`; shards
 * that were cut then stay readable.
 */

/** The same manifest in today's format; anything else is returned as it came, for the schema to judge. */
export function inTodaysFormat(json: unknown): unknown {
  if (!isRecord(json) || json['version'] !== 1 || !Array.isArray(json['rows'])) return json;
  const { rows, ...rest } = json;
  const layers = (rows as unknown[]).map((row) =>
    isRecord(row) && row['kind'] === 'layer' ? { ...row, kind: 'block' } : row,
  );
  return { ...rest, version: 2, layers };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

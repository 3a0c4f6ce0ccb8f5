/**
 * Reads problems of earlier versions, which called a layer a `row`, and a transformer block a `layer`. Errors
 * about such a file use its own names.
 */
import { isRecord } from '../base/is-record.ts';

/** The name of a field today, and in earlier versions. */
const earlierNames = {
  layers: 'rows',
  layerMs: 'rowMs',
  layerMsByBatch: 'rowMsByBatch',
  prefillLayerMs: 'prefillRowMs',
} as const;

const todaysNames = new Map<string, string>(
  Object.entries(earlierNames).map(([today, earlier]) => [earlier, today]),
);

/** Whether the problem has the earlier names. */
export function isEarlier(problem: unknown): boolean {
  return isRecord(problem) && 'rows' in problem && !('layers' in problem);
}

/** The same problem with today's names. Anything else is returned unchanged, for the schema to judge. */
export function underTodaysNames(problem: unknown): unknown {
  if (!isRecord(problem)) return problem;
  const renamed = withTodaysKeys(problem);
  const { layers, devices, shared } = renamed;
  if (Array.isArray(layers)) renamed['layers'] = layers.map(withTodaysKind);
  if (Array.isArray(devices)) renamed['devices'] = devices.map(withTodaysKeys);
  if (Array.isArray(shared)) renamed['shared'] = shared.map(withTodaysKeys);
  return renamed;
}

/** The message, with the field's name as the file has it. */
export function underEarlierNames(message: string): string {
  return message.replace(
    /\b(prefillLayerMs|layerMsByBatch|layerMs|layers(?=\[|$| (is|must)))/g,
    (name) => earlierNames[name as keyof typeof earlierNames],
  );
}

function withTodaysKind(layer: unknown): unknown {
  return isRecord(layer) && layer['kind'] === 'layer' ? { ...layer, kind: 'block' } : layer;
}

function withTodaysKeys<Value>(value: Value): Value {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, of]) => [todaysNames.get(key) ?? key, of]);
  return Object.fromEntries(entries) as Value;
}

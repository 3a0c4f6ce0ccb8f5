/** Whether the value is an object with named fields, as a JSON object is; an array or null is not. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A run or a fork refers to positions that this device does not hold. Nothing was computed. */
export class NotCached extends RangeError {
  override name = 'NotCached';
}

/** Compares names, because the class is lost between the engine's worker and the page. */
export function isNotCached(error: unknown): boolean {
  return error instanceof Error && error.name === NotCached.name;
}

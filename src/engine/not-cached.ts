/** A run or a fork goes on from positions that this device does not hold; nothing has been computed. */
export class NotCached extends RangeError {
  override name = 'NotCached';
}

/** By its name, which outlives the way from the engine's worker to the page. */
export function isNotCached(error: unknown): boolean {
  return error instanceof Error && error.name === NotCached.name;
}

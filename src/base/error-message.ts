/** What was thrown, whatever it is, as a sentence or as an error: anything can be thrown. */

/** The sentence that it says. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Itself if it is an error, else one that says the same. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Turns whatever was thrown into a sentence or an Error: JavaScript can throw any value. */

/** The message of an Error, or any other value as text. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The value itself if it is an Error, or else an Error with its text. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

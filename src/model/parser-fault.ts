/**
 * Why a library could not read something, in words for a person: its own sentence, or, where it stumbled over what
 * it did not look at, that it did.
 */
export function parserFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stumbled = [TypeError, RangeError, ReferenceError].some((type) => error instanceof type);
  return stumbled ? 'one of its parts is missing or not what it should be' : error.message;
}

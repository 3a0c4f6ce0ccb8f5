/**
 * Why a library could not read something, in a sentence for people. An error of the language itself (such as
 * a TypeError) means that the library used a part without checking it, so it gets a sentence of ours.
 */
export function parserFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stumbled = [TypeError, RangeError, ReferenceError].some((type) => error instanceof type);
  return stumbled ? 'one of its parts is missing or not what it should be' : error.message;
}

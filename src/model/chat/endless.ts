/** What is said of work that came to no end in its time; `what` is the sentence's subject. */
export function neverEnded(what: string, limitMs: number): string {
  return `${what} did not come to an end within ${limitMs / 1000} seconds and was stopped: take another model, or another version of this one.`;
}

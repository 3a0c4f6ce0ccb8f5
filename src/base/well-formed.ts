/** A text in which half a surrogate pair is U+FFFD, as the Web's APIs make it: `encodeURIComponent` throws at one. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** Which bytes of a file an answer says that it brings (RFC 9110, 14.4). */
export interface ContentRange {
  first: number;
  /** Inclusive. */
  last: number;
  /** Length of the whole file; null if the server does not say. */
  total: number | null;
}

/** Null for any other text. */
export function readContentRange(text: string): ContentRange | null {
  const match = /^\s*bytes[\s=:]+(\d+)\s*-\s*(\d+)\s*\/\s*(\d+|\*)\s*$/i.exec(text);
  if (!match) return null;
  const [first, last] = [Number(match[1]), Number(match[2])];
  const total = match[3] === '*' ? null : Number(match[3]);
  return last < first || (total !== null && last >= total) ? null : { first, last, total };
}

/** The `Range` request header (RFC 9110, section 14): one range of bytes, or everything. */

export type ByteRange =
  | { kind: 'whole' }
  /** Both ends included. */
  | { kind: 'part'; first: number; last: number }
  | { kind: 'unsatisfiable' };

/** What of `size` bytes a `Range` header asks for; several ranges or a malformed header mean all of it. */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (from === '' && to === '') return { kind: 'whole' };
  if (from === '') {
    const suffixBytes = Math.min(Number(to), size);
    return suffixBytes === 0
      ? { kind: 'unsatisfiable' }
      : { kind: 'part', first: size - suffixBytes, last: size - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return { kind: 'whole' };
  if (first >= size) return { kind: 'unsatisfiable' };
  return { kind: 'part', first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

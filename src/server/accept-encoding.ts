/** Which content codings a browser takes, from its `Accept-Encoding` header (RFC 9110, 12.5.3). */

export const encodings = ['br', 'gzip'] as const;

export type Encoding = (typeof encodings)[number];

/** The first of ours, smallest file first, that the header accepts; null to send the file as it is. */
export function acceptedEncoding(
  header: string | undefined,
  available: Partial<Record<Encoding, unknown>>,
): Encoding | null {
  const accepted = new Set(
    (header ?? '')
      .split(',')
      .map((part) =>
        part
          .trim()
          .toLowerCase()
          .split(/\s*;\s*/),
      )
      .filter(([, weight = '']) => !/^q=0(\.0*)?$/.test(weight))
      .map(([coding]) => coding),
  );
  return encodings.find((encoding) => available[encoding] && accepted.has(encoding)) ?? null;
}

/** The browser's cryptography, which it gives to secure pages only. */

/** Throws the sentence for the screen where the browser withholds it: on plain HTTP, except from localhost. */
export function cryptography(): SubtleCrypto {
  // The types say that it is always there.
  const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto };
  if (subtle) return subtle;
  throw new Error(
    'This page came over plain HTTP, so the browser withholds the cryptography that a room needs: open its https:// address, or localhost on the computer that serves it.',
  );
}

/**
 * A number by which two people see that their two screens are the two ends of one connection: of both ends'
 * certificates, so that somebody in between, who has others, shows another one.
 */
import { cryptography } from '../base/cryptography.ts';

/** Twelve digits in groups of four. The fingerprints are those of `Identity`. */
export async function pairCode(
  hostFingerprint: string,
  deviceFingerprint: string,
): Promise<string> {
  const ends = new TextEncoder().encode(`edgeshard door ${hostFingerprint} ${deviceFingerprint}`);
  const digest = new DataView(await cryptography().digest('SHA-256', ends));
  const groups = [0, 4, 8].map((offset) => digest.getUint32(offset) % 10_000);
  return groups.map((group) => String(group).padStart(4, '0')).join(' ');
}
